/** local ...: what is done with the cluster that npm start runs on this machine. */
import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { CoordinatorMembers, MemberChanged } from '@ringleader/contracts';
import type { Command } from 'commander';
import { CliFailure, EXIT } from './failure.js';
import { type GatewayClient, bodyOf } from './gateway-client.js';
import {
  type LocalFlags,
  addMemberCommands,
  dataOption,
  eventually,
  localClient,
  stateOf,
} from './local-members.js';

async function addCoordinator(command: Command): Promise<void> {
  const flags = command.optsWithGlobals<LocalFlags>();
  const folder = resolve(flags.data);
  const state = await stateOf(folder);
  const before = new Set(state.processes.map(({ member }) => member));
  const name = await requested(join(folder, 'add-coordinator'), async () => {
    const now = await stateOf(folder);
    return now.processes.find(({ service, member }) => service === 'coordinator' && !before.has(member))
      ?.member;
  });
  const client = localClient(flags, state);
  await applicationOf(client, name);
  const asked = { method: 'POST', body: { name } } as const;
  const answer = await client.changeCoordinators<MemberChanged>('/members', asked, 'index');
  bodyOf(answer, client, true);
  await untilVoter(client, name);
  console.log(flags.format === 'json' ? JSON.stringify({ name }) : `${name} is in the group, and votes.`);
}

async function replaceCoordinator(name: string, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<LocalFlags>();
  const folder = resolve(flags.data);
  const state = await stateOf(folder);
  const before = state.processes.find(({ service, member }) => service === 'coordinator' && member === name);
  if (before === undefined) {
    throw new CliFailure(`No ${name} is run by this cluster.`, {
      ...{ code: 'MEMBER_NOT_FOUND', exitCode: EXIT.notFound },
    });
  }
  const client = localClient(flags, state);
  const view = await membersOf(client);
  refuseLossOfMajority(view, name);
  const request = join(folder, `replace-${name}`);
  await requested(request, async () => {
    // A process that was killed is started again meanwhile: another one is not yet one with an empty folder.
    if (existsSync(request) || existsSync(takenRequest(request))) return undefined;
    const { processes: now } = await stateOf(folder);
    const pid = now.find(({ member }) => member === name)?.pid ?? null;
    return pid === null || pid === before.pid ? undefined : true;
  });
  const predecessors = new Set(view.members.map(({ id }) => id));
  const id = await untilReplaced(client, name, predecessors);
  console.log(
    flags.format === 'json' ? JSON.stringify({ name, id }) : `${name} is replaced: its successor votes.`,
  );
}

/**
 * Lets the one in that asks. It may have been one that has ended since and whose folder is gone, which will never be heard of: then another
 * one goes on asking, and is let in in its place.
 */
async function untilReplaced(
  client: GatewayClient,
  name: string,
  predecessors: ReadonlySet<string>,
): Promise<string> {
  await applicationOf(client, name);
  return eventually(`${name} is a learner, and has not caught up yet`, async () => {
    const { id, isToBeLetIn } = successionOf(await membersOf(client), name, predecessors);
    if (isToBeLetIn) {
      const path = `/members/${name}:replace`;
      bodyOf(await client.changeCoordinators<MemberChanged>(path, { method: 'POST' }, 'index'), client, true);
    }
    return id;
  });
}

/** The id of the successor that votes, if one does, or whether somebody is to be let in. */
export function successionOf(
  { members, applicants }: Pick<CoordinatorMembers, 'members' | 'applicants'>,
  name: string,
  predecessors: ReadonlySet<string>,
): { readonly id?: string; readonly isToBeLetIn: boolean } {
  const successors = members.filter((member) => member.name === name && !predecessors.has(member.id));
  const voter = successors.find(({ role }) => role !== 'learner');
  if (voter !== undefined) return { id: voter.id, isToBeLetIn: false };
  const isHeard = successors.some(({ reachable }) => reachable);
  return { isToBeLetIn: !isHeard && applicants.some((applicant) => applicant.name === name) };
}

/** Before a disk is thrown away: once it is, nobody can refuse. While the group changes, whose disks are a majority is not settled. */
export function refuseLossOfMajority(
  { joint, members }: Pick<CoordinatorMembers, 'joint' | 'members'>,
  name: string,
): void {
  if (joint) {
    const sentence =
      'Another change of the coordinators is under way (ringleader coordinator members): nothing was done.';
    throw new CliFailure(sentence, { code: 'CHANGE_UNDER_WAY', exitCode: EXIT.condition });
  }
  const voters = members.filter(({ role }) => role !== 'learner');
  const others = voters.filter((voter) => voter.name !== name && voter.reachable);
  if (others.length > voters.length / 2) return;
  const silent = voters.filter(({ reachable }) => !reachable).map((voter) => voter.name);
  const why = silent.length === 0 ? '' : ` (no answer from ${silent.join(', ')})`;
  const sentence = `Without ${name} no majority of the coordinators is left${why}: nothing was done.`;
  throw new CliFailure(sentence, { code: 'QUORUM_AT_RISK', exitCode: EXIT.condition });
}

/** Asks the starter by a file, and waits until it has done so. */
async function requested<T>(file: string, probe: () => Promise<T | undefined>): Promise<T> {
  await writeFile(file, '');
  const failure = 'The cluster did not start another coordinator: does it run?';
  return eventually(failure, probe).finally(() => rm(file, { force: true }));
}

/** As the starter calls it while it does what it is asked for. */
const takenRequest = (file: string): string => `${file}.taken`;

async function membersOf(client: GatewayClient): Promise<CoordinatorMembers> {
  return bodyOf(await client.coordinators(), client);
}

/** The id of the one that waits to be let in under the name, once it does. */
function applicationOf(client: GatewayClient, name: string): Promise<string> {
  return eventually(`${name} does not ask to be let in: see its log`, async () => {
    const { applicants } = await membersOf(client);
    return applicants.find((applicant) => applicant.name === name)?.id;
  });
}

async function untilVoter(client: GatewayClient, name: string): Promise<void> {
  await eventually(`${name} is a learner, and has not caught up yet`, async () => {
    const { members } = await membersOf(client);
    return members.some((member) => member.name === name && member.role !== 'learner') || undefined;
  });
}

export function addLocalCommands(root: Command): void {
  const noun = root.command('local').description('The cluster that npm start runs on this machine.');
  noun
    .command('add-coordinator')
    .description('Starts one more coordinator there, and lets it into the group.')
    .addOption(dataOption())
    .action((_flags: unknown, command: Command) => addCoordinator(command));
  noun
    .command('replace-coordinator')
    .description('Starts another coordinator there in the place of one, whose data are deleted.')
    .argument('<name>', 'as in coordinator-2')
    .addOption(dataOption())
    .action((name: string, _flags: unknown, command: Command) => replaceCoordinator(name, command));
  addMemberCommands(noun);
}
