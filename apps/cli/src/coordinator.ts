/** coordinator ...: who is in the group of coordinators, and how that changes. */
import { coordinatorSeat } from '@ringleader/contracts';
import type { CoordinatorMembers, LeaderTransferred, MemberChanged } from '@ringleader/contracts';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { addStoreCommands } from './coordinator-store.js';
import { type ClusterChange, bodyOf } from './gateway-client.js';
import { type GlobalFlags, clientOf, integer } from './global-options.js';
import { table } from './table.js';

type ChangeFlags = GlobalFlags & { readonly ifIndex?: number; readonly learner?: true };
type TransferFlags = GlobalFlags & { readonly to?: string };

export function describeMembers(view: CoordinatorMembers): string {
  const members = view.members.map(({ name, id, role, match, lag, reachable, replaces, corrupt }) => [
    name,
    id,
    role,
    String(match),
    String(lag),
    corrupt === true ? 'corrupt' : reachable ? '' : 'silent',
    replaces === undefined ? '' : `replaces ${replaces}`,
  ]);
  const applicants = view.applicants.map(({ name, id }) => [name, id, 'waits to be let in']);
  return [
    `term ${view.term}, revision ${view.revision}, configuration ${view.index}${view.joint ? ' (a change is under way)' : ''}`,
    table(['NAME', 'ID', 'ROLE', 'MATCH', 'LAG', 'STATE', 'NOTE'], [...members, ...applicants]),
  ].join('\n');
}

async function members(command: Command): Promise<void> {
  const flags = command.optsWithGlobals<GlobalFlags>();
  const client = clientOf(flags);
  const view = bodyOf(await client.coordinators(), client);
  console.log(flags.format === 'json' ? JSON.stringify(view.members, null, 2) : describeMembers(view));
}

async function change(
  command: Command,
  path: string,
  { method, body }: ClusterChange,
  done: string,
): Promise<void> {
  const flags = command.optsWithGlobals<ChangeFlags>();
  const client = clientOf(flags);
  const asked = { method, ifMatch: flags.ifIndex, ...(body !== undefined && { body }) };
  const answer = await client.changeCoordinators<MemberChanged>(path, asked, 'index');
  const { index } = bodyOf(answer, client, true);
  console.log(flags.format === 'json' ? JSON.stringify({ index }) : `${done} (configuration ${index}).`);
}

async function transferLeader(command: Command): Promise<void> {
  const flags = command.optsWithGlobals<TransferFlags>();
  const client = clientOf(flags);
  const asked: ClusterChange = {
    method: 'POST',
    ...(flags.to !== undefined && { body: { to: flags.to } }),
  };
  const answer = await client.changeCoordinators<LeaderTransferred>(':transfer-leader', asked, 'leader');
  const { leader } = bodyOf(answer, client, true);
  console.log(flags.format === 'json' ? JSON.stringify({ leader }) : `${leader} leads.`);
}

const memberPath = (name: string, action = ''): string => `/members/${encodeURIComponent(name)}${action}`;

export function addCoordinatorCommands(root: Command): void {
  const noun = root.command('coordinator').description('The group of coordinators and its members.');
  noun
    .command('members')
    .description(
      'Who is in the group, how far each has come, and who waits to be let in; with -o json a list.',
    )
    .action((_flags: unknown, command: Command) => members(command));
  changing(noun, 'add', 'Lets the coordinator in that waits under this name: as a learner, then a voter.')
    .option('--learner', 'it stays a learner until it is promoted')
    .action((name: string, { learner }: ChangeFlags, command: Command) => {
      const body = { name, ...(learner === true && { learner }) };
      return change(command, '/members', { method: 'POST', body }, `${name} is in the group`);
    });
  changing(noun, 'promote', 'Makes a learner a voter that has caught up.').action(
    (name: string, _flags: unknown, command: Command) =>
      change(command, memberPath(name, ':promote'), { method: 'POST' }, `${name} votes`),
  );
  changing(noun, 'remove', 'Removes a member, whose process ends.').action(
    (name: string, _flags: unknown, command: Command) =>
      change(command, memberPath(name), { method: 'DELETE' }, `${name} is removed`),
  );
  changing(
    noun,
    'replace',
    'Gives the place of a member that lost its disk to the one that waits under its name.',
  ).action((name: string, _flags: unknown, command: Command) => {
    const done = `${name} is being replaced: its successor votes once it has caught up`;
    return change(command, memberPath(name, ':replace'), { method: 'POST' }, done);
  });
  noun
    .command('transfer-leader')
    .description('Hands the leadership over.')
    .option('--to <name>', 'a voter; without it the most advanced one')
    .action((_flags: unknown, command: Command) => transferLeader(command));
  addStoreCommands(noun);
}

/** A name with nothing in it, or a slash, would be another resource. */
function nameOf(text: string): string {
  if (coordinatorSeat(text) !== null) return text;
  throw new InvalidArgumentError('Coordinators are called coordinator-1 to coordinator-9.');
}

function changing(noun: Command, verb: string, description: string): Command {
  return noun
    .command(verb)
    .description(description)
    .argument('<name>', 'as in coordinator-4', nameOf)
    .addOption(
      new Option('--if-index <index>', 'only if this is still the index of the configuration').argParser(
        integer(0, Number.MAX_SAFE_INTEGER),
      ),
    );
}
