/** local add-shard|stop|kill|pause|cut|restart: what a running `npm start` is asked to do with its processes. */
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { LocalClusterState, MemberAction, PlacedShard } from '@ringleader/contracts';
import { type Command, Option } from 'commander';
import { CliFailure, EXIT } from './failure.js';
import { type GatewayClient, refusal } from './gateway-client.js';
import { type GlobalFlags, clientOf } from './global-options.js';
import { weightOf } from './shards.js';

export type LocalFlags = GlobalFlags & { readonly data: string };
type ShardFlags = LocalFlags & { readonly zone?: string; readonly weight?: number };

const POLL_MS = 200;
const PATIENCE_MS = 30_000;
/** A cut starts the member anew, and waits until it is ready. */
const CONTROL_MS = 60_000;

export function dataOption(): Option {
  return new Option('--data <folder>', 'the data folder of the cluster').default('.ringleader');
}

export async function stateOf(folder: string): Promise<LocalClusterState> {
  try {
    return JSON.parse(await readFile(join(folder, 'cluster.json'), 'utf8')) as LocalClusterState;
  } catch (cause) {
    const sentence = `No cluster of npm start has its data in ${folder}: name its folder with --data.`;
    throw new CliFailure(sentence, { cause, exitCode: EXIT.usage });
  }
}

/** Of the cluster that the state file tells of, whatever gateways the flags name. */
export function localClient(flags: LocalFlags, { gatewayUrls, access }: LocalClusterState): GatewayClient {
  return clientOf({
    ...flags,
    gateway: gatewayUrls,
    ...(access && { caFile: access.caFile, tokenFile: access.tokenFile }),
  });
}

/** For what follows on what the starter has done, which Ctrl-C does not undo. */
export async function eventually<T>(
  client: GatewayClient,
  failure: string,
  probe: () => Promise<T | undefined>,
): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const found = await probe();
    if (found !== undefined) return found;
    if (client.isStopped) throw new CliFailure('It goes on without us.', { exitCode: EXIT.stopped });
    if (performance.now() > deadline) throw new CliFailure(`${failure}.`, { exitCode: EXIT.unknown });
    await pause(POLL_MS);
  }
}

/** Asks the starter that runs on the folder. */
export async function ask<Body>(folder: string, path: string, body: object = {}): Promise<Body> {
  const { control } = await stateOf(folder);
  const away = (cause?: unknown): CliFailure =>
    new CliFailure(`No cluster of npm start runs on ${folder} at present.`, {
      cause,
      exitCode: EXIT.nothingDone,
    });
  if (control === null) throw away();
  const answer = await fetch(`${control.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${control.token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(CONTROL_MS),
  }).catch((error: Error) => {
    if (isRefused(error)) throw away(error);
    const sentence = `The npm start of ${folder} did not say whether it was done: look at ringleader status.`;
    throw new CliFailure(sentence, { cause: error, exitCode: EXIT.unknown });
  });
  // Another program may listen there by now, and say whatever it says.
  const said = answer.status === 403 ? null : objectIn(await answer.text());
  if (said === null) throw away();
  if (answer.ok) return said as Body;
  const { code, detail } = said as { code?: string; detail?: string };
  throw refusal({ status: answer.status, code, detail });
}

/** Null where it is none. */
function objectIn(text: string): object | null {
  try {
    const said = JSON.parse(text) as unknown;
    return typeof said === 'object' ? said : null;
  } catch {
    return null;
  }
}

const isRefused = ({ cause }: Error): boolean =>
  (cause as NodeJS.ErrnoException | undefined)?.code === 'ECONNREFUSED';

async function act(member: string, action: string, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<LocalFlags>();
  const path = `/members/${encodeURIComponent(member)}/${action}`;
  const { done } = await ask<{ done: string }>(resolve(flags.data), path);
  console.log(flags.format === 'json' ? JSON.stringify({ member, action, done }) : `${done}.`);
}

async function addShard(command: Command): Promise<void> {
  const flags = command.optsWithGlobals<ShardFlags>();
  const folder = resolve(flags.data);
  const { zone, weight } = flags;
  const { member } = await ask<{ member: string }>(folder, '/shards', { zone, weight });
  const client = localClient(flags, await stateOf(folder));
  const shard = await eventually(
    client,
    `${member} runs, and is no part of the cluster yet: see its log`,
    async () => {
      const { body } = await client.read<PlacedShard>(`/shards/${member}`, 'shard');
      return body;
    },
  );
  const sentence = `${member} is part of the cluster (${shard.state}); ringleader moves shows what moves to it.`;
  console.log(flags.format === 'json' ? JSON.stringify({ name: member, state: shard.state }) : sentence);
}

const ACTIONS: Readonly<Record<MemberAction, string>> = {
  stop: 'Stops a process in order; it is not started again before it is restarted.',
  kill: 'Ends a process at once (kill -9); it is not started again before it is restarted.',
  pause: 'Makes a process stand still (SIGSTOP), with its connections, until it is restarted.',
  cut: 'Cuts a member off from NATS, until it is restarted. At the first time it is started anew, behind a proxy.',
  restart: 'Ends what was done to a process; one to which nothing was done is stopped and started.',
};

export function addMemberCommands(noun: Command): void {
  noun
    .command('add-shard')
    .description('Starts one more shard there, with a PostgreSQL of its own.')
    .option('--zone <zone>', 'replicas of a partition go to different zones where they can')
    .addOption(new Option('--weight <weight>', 'in relation to the others').argParser(weightOf))
    .addOption(dataOption())
    .action((_flags: unknown, command: Command) => addShard(command));
  for (const [action, description] of Object.entries(ACTIONS)) {
    noun
      .command(action)
      .description(description)
      .argument('<member>', 'as in shard-2, postgres-2, gateway-1, nats-server')
      .addOption(dataOption())
      .action((member: string, _flags: unknown, command: Command) => act(member, action, command));
  }
}
