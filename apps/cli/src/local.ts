/** local ...: what is done with the cluster that npm start runs on this machine. */
import { resolve } from 'node:path';
import type { CoordinatorMembers, MemberChanged } from '@ringleader/contracts';
import type { Command } from 'commander';
import { CliFailure, EXIT } from './failure.js';
import { type GatewayClient, bodyOf } from './gateway-client.js';
import {
  type LocalFlags,
  addMemberCommands,
  ask,
  dataOption,
  eventually,
  localClient,
  stateOf,
} from './local-members.js';

/** Starts a coordinator, in the place of `former` if that is given, lets it in and waits until it votes. */
async function bringCoordinator(former: string | undefined, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<LocalFlags>();
  const folder = resolve(flags.data);
  const client = localClient(flags, await stateOf(folder));
  const view = await membersOf(client);
  if (former !== undefined) refuseLossOfMajority(view, former);
  const path = former === undefined ? '/coordinators' : `/coordinators/${encodeURIComponent(former)}/replace`;
  const { member: name } = await ask<{ member: string }>(folder, path);
  const id = await untilVoter(client, name, new Set(view.members.map((member) => member.id)));
  const outcome = former === undefined ? 'is in the group, and votes.' : 'is replaced: its successor votes.';
  console.log(flags.format === 'json' ? JSON.stringify({ name, id }) : `${name} ${outcome}`);
}

/**
 * Lets the one in that asks. It may have been one that has ended since and whose folder is gone, which will never be heard of: then another
 * one goes on asking, and is let in in its place.
 */
async function untilVoter(
  client: GatewayClient,
  name: string,
  predecessors: ReadonlySet<string>,
): Promise<string> {
  await eventually(client, `${name} does not ask to be let in: see its log`, async () => {
    const { applicants } = await membersOf(client);
    return applicants.find((applicant) => applicant.name === name);
  });
  return eventually(client, `${name} is a learner, and has not caught up yet`, async () => {
    const view = await membersOf(client);
    const { id, isToBeLetIn } = successionOf(view, name, predecessors);
    if (isToBeLetIn) {
      const isKnown = view.members.some((member) => member.name === name);
      const [path, body] = isKnown ? [`/members/${name}:replace`, {}] : ['/members', { body: { name } }];
      const asked = { method: 'POST', ...body } as const;
      bodyOf(await client.changeCoordinators<MemberChanged>(path, asked, 'index'), client, true);
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

async function membersOf(client: GatewayClient): Promise<CoordinatorMembers> {
  return bodyOf(await client.coordinators(), client);
}

export function addLocalCommands(root: Command): void {
  const noun = root.command('local').description('The cluster that npm start runs on this machine.');
  noun
    .command('add-coordinator')
    .description('Starts one more coordinator there, and lets it into the group.')
    .addOption(dataOption())
    .action((_flags: unknown, command: Command) => bringCoordinator(undefined, command));
  noun
    .command('replace-coordinator')
    .description('Starts another coordinator there in the place of one, whose data are deleted.')
    .argument('<name>', 'as in coordinator-2')
    .addOption(dataOption())
    .action((name: string, _flags: unknown, command: Command) => bringCoordinator(name, command));
  addMemberCommands(noun);
}
