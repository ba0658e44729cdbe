/** shards, drain, undrain, remove, weight: the shards, and what is to become of each. */
import type { PlacedShard, Plan, PlanEpoch, ShardList } from '@ringleader/contracts';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { CliFailure, EXIT } from './failure.js';
import { type ClusterChange, type GatewayClient, bodyOf } from './gateway-client.js';
import { type GlobalFlags, clientOf, integer, stopSignal } from './global-options.js';
import { giveUpOption } from './retrying.js';
import { table } from './table.js';
import { Wait } from './waiting.js';

export type ChangeFlags = GlobalFlags & { readonly ifEpoch?: number };
type DrainFlags = ChangeFlags & { readonly wait?: true; readonly giveUpAfter: number };

const POLL_MS = 500;
const MEMBER = /^[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?$/i;

/** A name with a slash or a colon in it would be another resource. */
export function shardName(text: string): string {
  if (MEMBER.test(text)) return text;
  throw new InvalidArgumentError('Shards have names as in shard-1.');
}

export function weightOf(text: string): number {
  const weight = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && weight >= 0.01 && weight <= 100) return weight;
  throw new InvalidArgumentError('It must be a number from 0.01 to 100.');
}

export function describeShards(shards: readonly PlacedShard[]): string {
  const rows = shards.map((one) => [
    one.shard,
    one.state,
    one.verdict,
    one.zone,
    String(one.weight),
    String(one.replicas),
    String(one.leaders),
    String(one.arriving),
    String(one.departing),
    one.removable ? 'can be removed' : '',
  ]);
  const headings = ['SHARD', 'STATE', 'VERDICT', 'ZONE', 'WEIGHT', 'REPLICAS', 'LEADERS', 'ARRIVING'];
  return table([...headings, 'DEPARTING', 'NOTE'], rows);
}

async function shards(command: Command): Promise<void> {
  const flags = command.optsWithGlobals<GlobalFlags>();
  const client = clientOf(flags);
  const { items } = bodyOf(await client.read<ShardList>('/shards', 'items'), client);
  console.log(flags.format === 'json' ? JSON.stringify(items, null, 2) : describeShards(items));
}

/** A command that the coordinators take down; `done` begins the sentence about it. */
export async function change(
  command: Command,
  path: string,
  asked: Omit<ClusterChange, 'ifMatch'>,
  done: string,
): Promise<void> {
  const flags = command.optsWithGlobals<ChangeFlags>();
  const client = clientOf(flags);
  const epoch = await changed(client, path, { ...asked, ifMatch: flags.ifEpoch });
  console.log(flags.format === 'json' ? JSON.stringify({ epoch }) : `${done} (plan ${epoch}).`);
}

async function changed(client: GatewayClient, path: string, asked: ClusterChange): Promise<number> {
  return bodyOf(await client.change<PlanEpoch>(path, asked, 'epoch'), client, true).epoch;
}

const pathOf = (name: string, action = ''): string => `/shards/${encodeURIComponent(name)}${action}`;

async function drain(name: string, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<DrainFlags>();
  const asked = { method: 'POST' } as const;
  if (flags.wait !== true) {
    await change(command, pathOf(name, ':drain'), asked, `${name} is being drained`);
    return;
  }
  const signal = stopSignal();
  const client = clientOf(flags, signal);
  const epoch = await changed(client, pathOf(name, ':drain'), { ...asked, ifMatch: flags.ifEpoch }).catch(
    (error: unknown) => {
      // Who waits wants it drained, whoever has said so before.
      if (error instanceof CliFailure && error.code === 'ALREADY_SO') return null;
      throw error;
    },
  );
  const wait = new Wait({
    ...{ giveUpAfterSeconds: flags.giveUpAfter, signal },
    goesOn: `${name} is drained all the same: ringleader shards tells how far it is`,
  });
  const state = await untilDrained(client, name, wait);
  const sentence = state === 'drained' ? `${name} is drained.` : `${name} is drained, and removed by now.`;
  console.log(flags.format === 'json' ? JSON.stringify({ epoch, state }) : sentence);
}

/**
 * Says how far it is. It is known to be draining: where it is not there any more
 * somebody has removed it, which is done to what is drained only.
 */
async function untilDrained(client: GatewayClient, name: string, wait: Wait): Promise<'drained' | 'removed'> {
  for (;;) {
    const answer = await wait.ask(() => client.read<PlacedShard>(pathOf(name), 'shard'));
    if (answer.code === 'SHARD_NOT_FOUND') return 'removed';
    const shard = bodyOf(answer, client);
    if (shard.state === 'drained') return shard.state;
    wait.say(`${name}: ${await progressOf(shard, client)}`);
    await wait.pause(POLL_MS);
  }
}

async function progressOf(shard: PlacedShard, client: GatewayClient): Promise<string> {
  const { state, replicas, departing } = shard;
  if (state !== 'draining') {
    const sentence = `${shard.shard} is ${state}: it is not drained any more.`;
    throw new CliFailure(sentence, { exitCode: EXIT.condition });
  }
  const { body: plan } = await client.read<Plan>('/plan', 'epoch');
  const blocked = plan?.paused === true ? 'moves are paused' : plan?.blocked;
  return `${Math.max(replicas, departing)} partitions left${blocked ? `; ${blocked}` : ''}`;
}

export function ifEpoch(): Option {
  const option = new Option('--if-epoch <epoch>', 'only if this is still the epoch of the plan');
  return option.argParser(integer(1, Number.MAX_SAFE_INTEGER));
}

function changing(root: Command, verb: string, description: string): Command {
  return root
    .command(verb)
    .description(description)
    .argument('<shard>', 'as in shard-3', shardName)
    .addOption(ifEpoch());
}

export function addShardCommands(root: Command): void {
  root
    .command('shards')
    .description('The shards, with what each holds, gets and gives away; with -o json a list.')
    .action((_flags: unknown, command: Command) => shards(command));
  changing(root, 'drain', 'Moves all partitions of a shard to the others.')
    .option('--wait', 'until it is drained, with its progress')
    .addOption(giveUpOption('of waiting, where nobody tells how far it is'))
    .action((name: string, _flags: unknown, command: Command) => drain(name, command));
  changing(root, 'undrain', 'Lets a shard take part again that is drained, or on the way.').action(
    (name: string, _flags: unknown, command: Command) =>
      change(command, pathOf(name, ':undrain'), { method: 'POST' }, `${name} takes part`),
  );
  changing(root, 'remove', 'Removes a shard that is drained; its process ends.').action(
    (name: string, _flags: unknown, command: Command) =>
      change(command, pathOf(name), { method: 'DELETE' }, `${name} is removed`),
  );
  changing(root, 'weight', 'Changes how much a shard holds, in relation to the others.')
    .argument('<weight>', 'from 0.01 to 100; 1 is usual', weightOf)
    .action((name: string, weight: number, _flags: unknown, command: Command) =>
      change(command, pathOf(name), { method: 'PATCH', body: { weight } }, `${name} has weight ${weight}`),
    );
}
