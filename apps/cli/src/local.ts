/** local ...: what is done with the cluster that npm start runs on this machine. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { CoordinatorMembers, MemberChanged } from '@ringleader/contracts';
import type { Command } from 'commander';
import { CliFailure, EXIT } from './failure.js';
import { type GatewayClient, bodyOf } from './gateway-client.js';
import { type GlobalFlags, clientOf } from './global-options.js';

type LocalFlags = GlobalFlags & { readonly data: string };

/** The part of `cluster.json` that is needed here. */
interface ClusterState {
  readonly gatewayUrls: readonly string[];
  readonly processes: readonly { readonly service: string; readonly member: string }[];
}

const POLL_MS = 200;
const PATIENCE_MS = 30_000;

async function addCoordinator(command: Command): Promise<void> {
  const flags = command.optsWithGlobals<LocalFlags>();
  const folder = resolve(flags.data);
  const { gatewayUrls, processes } = await stateOf(folder);
  const before = new Set(processes.map(({ member }) => member));
  const request = join(folder, 'add-coordinator');
  await writeFile(request, '');
  const name = await eventually('The cluster did not start another coordinator: does it run?', async () => {
    const now = await stateOf(folder);
    return now.processes.find(({ service, member }) => service === 'coordinator' && !before.has(member))
      ?.member;
  }).finally(() => rm(request, { force: true }));
  const client = clientOf({ ...flags, gateway: gatewayUrls });
  await eventually(`${name} does not ask to be let in: see its log`, () => appliesTo(client, name));
  const asked = { method: 'POST', body: { name } } as const;
  const answer = await client.changeCoordinators<MemberChanged>('/members', asked, 'index');
  bodyOf(answer, client, true);
  const isVoter = async (): Promise<true | undefined> =>
    (await membersOf(client)).members.some((member) => member.name === name && member.role !== 'learner') ||
    undefined;
  await eventually(`${name} is a learner, and has not caught up yet`, isVoter);
  console.log(flags.format === 'json' ? JSON.stringify({ name }) : `${name} is in the group, and votes.`);
}

async function stateOf(folder: string): Promise<ClusterState> {
  try {
    return JSON.parse(await readFile(join(folder, 'cluster.json'), 'utf8')) as ClusterState;
  } catch (cause) {
    const sentence = `No cluster of npm start has its data in ${folder}: name its folder with --data.`;
    throw new CliFailure(sentence, { cause, exitCode: EXIT.usage });
  }
}

async function membersOf(client: GatewayClient): Promise<CoordinatorMembers> {
  return bodyOf(await client.coordinators(), client);
}

async function appliesTo(client: GatewayClient, name: string): Promise<true | undefined> {
  const { applicants } = await membersOf(client);
  return applicants.some((applicant) => applicant.name === name) || undefined;
}

async function eventually<T>(failure: string, probe: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const found = await probe();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new CliFailure(`${failure}.`, { exitCode: EXIT.nothingDone });
    await pause(POLL_MS);
  }
}

export function addLocalCommands(root: Command): void {
  const noun = root.command('local').description('The cluster that npm start runs on this machine.');
  noun
    .command('add-coordinator')
    .description('Starts one more coordinator there, and lets it into the group.')
    .option('--data <folder>', 'the data folder of the cluster', '.ringleader')
    .action((_flags: unknown, command: Command) => addCoordinator(command));
}
