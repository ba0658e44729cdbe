/** moves, rebalance, limits: what is moved and what is to be, and how fast. */
import type { DryRun, MoveList, PlacementCommand, PlannedMove, Plan, PlanEpoch } from '@ringleader/contracts';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { CliFailure, EXIT } from './failure.js';
import { bodyOf } from './gateway-client.js';
import { type GlobalFlags, clientOf, integer } from './global-options.js';
import { change, type ChangeFlags, describeShards, ifEpoch, shardName, weightOf } from './shards.js';
import { table } from './table.js';
import { bytes, duration } from './units.js';

const MOVES_SHOWN = 20;
const partitionOf = integer(0, 16_383);

export function describeMoves(moves: readonly PlannedMove[], shown = Infinity): string {
  if (moves.length === 0) return 'Nothing is moved.';
  const rows = moves
    .slice(0, shown)
    .map((move) => [
      String(move.partition),
      move.add ?? '',
      move.remove ?? '',
      move.reason,
      move.phase,
      move.phase === 'planned' ? '' : `${bytes(move.bytesDone)} of ${bytes(move.bytesTotal)}`,
      move.bytesPerSecond > 0 ? `${bytes(move.bytesPerSecond)}/s` : '',
      move.endsInMs === null ? '' : duration(move.endsInMs),
      move.waitsFor,
    ]);
  const text = table(
    ['PARTITION', 'TO', 'FROM', 'REASON', 'PHASE', 'COPIED', 'RATE', 'LEFT', 'WAITS FOR'],
    rows,
  );
  return moves.length > shown ? `${text}\nand ${moves.length - shown} more` : text;
}

const PAUSED = {
  person: 'Moves are paused: ringleader moves resume.',
  operator:
    'Moves are paused by the operator of Kubernetes while it updates shards; ringleader moves pause makes it yours.',
};

/** The sentences about it; `describeMoves` shows the moves. */
export function summarise({
  epoch,
  paused,
  pausedBy,
  blocked,
  moves,
  movesTotal,
  leaderChanges,
  bytesTotal,
}: Plan): string {
  const underWay = moves.filter(({ phase }) => phase !== 'planned').length;
  const lines = [
    `plan ${epoch}: ${underWay} partitions under way, ${movesTotal - underWay} planned, ${leaderChanges} leaders to change` +
      (bytesTotal > 0 ? `, about ${bytes(bytesTotal)} to copy` : ''),
    ...(paused ? [PAUSED[pausedBy ?? 'person']] : []),
    ...(blocked === null ? [] : [`Blocked: ${blocked}`]),
  ];
  return lines.join('\n');
}

async function moves(command: Command): Promise<void> {
  const flags = command.optsWithGlobals<GlobalFlags>();
  const client = clientOf(flags);
  if (flags.format === 'json') {
    const { items } = bodyOf(await client.read<MoveList>('/moves', 'items'), client);
    console.log(JSON.stringify(items, null, 2));
    return;
  }
  const plan = bodyOf(await client.read<Plan>('/plan', 'epoch'), client);
  console.log(`${summarise(plan)}\n\n${describeMoves(plan.moves)}`);
}

interface WhatIf extends GlobalFlags {
  readonly dryRun?: true;
  readonly drain?: readonly string[];
  readonly undrain?: readonly string[];
  readonly remove?: readonly string[];
  readonly weight?: readonly { readonly shard: string; readonly weight: number }[];
}

async function rebalance(command: Command): Promise<void> {
  const flags = command.optsWithGlobals<WhatIf>();
  if (flags.dryRun !== true) {
    const sentence =
      'The cluster balances by itself: --dry-run shows what it would do (ringleader moves: what it does).';
    throw new CliFailure(sentence, { exitCode: EXIT.usage });
  }
  const client = clientOf(flags);
  const shardsOf = (kind: 'drain' | 'undrain' | 'remove'): PlacementCommand[] =>
    (flags[kind] ?? []).map((shard) => ({ kind, shard }));
  const commands: PlacementCommand[] = [
    ...shardsOf('undrain'),
    ...(flags.weight ?? []).map((one) => ({ kind: 'weight' as const, ...one })),
    ...shardsOf('drain'),
    ...shardsOf('remove'),
  ];
  const asked = { method: 'POST', body: { commands } } as const;
  const planned = bodyOf(await client.change<DryRun>('/plan:dry-run', asked, 'shards'), client);
  if (flags.format === 'json') {
    console.log(JSON.stringify(planned, null, 2));
    return;
  }
  const { plan, shards } = planned;
  console.log([summarise(plan), describeShards(shards), describeMoves(plan.moves, MOVES_SHOWN)].join('\n\n'));
}

type LimitFlags = ChangeFlags & {
  readonly movesMax?: number;
  readonly bytesPerSecondMax?: number;
  readonly replaceAfterMs?: number;
};

async function limits(command: Command): Promise<void> {
  const flags = command.optsWithGlobals<LimitFlags>();
  const { movesMax, bytesPerSecondMax, replaceAfterMs } = flags;
  const wanted = {
    ...(movesMax !== undefined && { movesMax }),
    ...(bytesPerSecondMax !== undefined && { bytesPerSecondMax }),
    ...(replaceAfterMs !== undefined && { replaceAfterMs }),
  };
  const client = clientOf(flags);
  if (Object.keys(wanted).length > 0) {
    const asked = { method: 'PATCH', body: { limits: wanted }, ifMatch: flags.ifEpoch } as const;
    bodyOf(await client.change<PlanEpoch>('/plan', asked, 'epoch'), client, true);
  } else if (flags.ifEpoch !== undefined) {
    throw new CliFailure('--if-epoch goes with a limit that is changed.', { exitCode: EXIT.usage });
  }
  const { limits: now } = bodyOf(await client.read<Plan>('/plan', 'epoch'), client);
  const text = [
    `--moves-max ${now.movesMax}: partitions that change their replicas at once`,
    `--bytes-per-second-max ${now.bytesPerSecondMax}: what each shard gives away to copies (${bytes(now.bytesPerSecondMax)}/s)`,
    `--replace-after-ms ${now.replaceAfterMs}: how long a shard may be down before it is replaced (${duration(now.replaceAfterMs)})`,
  ];
  console.log(flags.format === 'json' ? JSON.stringify(now, null, 2) : text.join('\n'));
}

/** As in shard-2=1.5. */
function shardWeight(text: string): { readonly shard: string; readonly weight: number } {
  const [, shard, weight] = /^([^=]+)=(.*)$/.exec(text) ?? [];
  if (shard === undefined || weight === undefined) {
    throw new InvalidArgumentError('It must be a shard and its weight, as in shard-2=1.5.');
  }
  return { shard: shardName(shard), weight: weightOf(weight) };
}

/** An option that may be given several times. */
export function repeatable<T>(flags: string, description: string, parse: (text: string) => T): Option {
  const collect = (text: string, before: readonly T[] | undefined): readonly T[] => [
    ...(before ?? []),
    parse(text),
  ];
  return new Option(flags, `${description}; may be repeated`).argParser(collect);
}

export function addMoveCommands(root: Command): void {
  const noun = root
    .command('moves')
    .description('What is moved and what is to be, with what each move waits for; with -o json a list.')
    .action((_flags: unknown, command: Command) => moves(command));
  noun
    .command('pause')
    .description('No move begins, and none goes on.')
    .addOption(ifEpoch())
    .action((_flags: unknown, command: Command) =>
      change(command, '/moves:pause', { method: 'POST' }, 'Moves are paused'),
    );
  noun
    .command('resume')
    .description('Moves go on.')
    .addOption(ifEpoch())
    .action((_flags: unknown, command: Command) =>
      change(command, '/moves:resume', { method: 'POST' }, 'Moves go on'),
    );
  noun
    .command('cancel')
    .description('Takes a move back, or all of them, after which moves are paused.')
    .argument('[partition]', 'absent: all', partitionOf)
    .addOption(ifEpoch())
    .action((partition: number | undefined, _flags: unknown, command: Command) => {
      const body = partition === undefined ? {} : { body: { partition } };
      const what = partition === undefined ? 'All moves are' : `The move of partition ${partition} is`;
      return change(command, '/moves:cancel', { method: 'POST', ...body }, `${what} taken back`);
    });
  root
    .command('rebalance')
    .description('Shows the plan as it would be after some commands; nothing is changed.')
    .option('--dry-run', 'has to be there: the cluster balances by itself')
    .addOption(repeatable('--drain <shard>', 'were it drained', shardName))
    .addOption(repeatable('--undrain <shard>', 'were it not drained any more', shardName))
    .addOption(repeatable('--remove <shard>', 'were it removed', shardName))
    .addOption(repeatable('--weight <shard=weight>', 'had it this weight', shardWeight))
    .action((_flags: unknown, command: Command) => rebalance(command));
  root
    .command('limits')
    .description('How much may be moved at once, and how fast; options change it.')
    .addOption(new Option('--moves-max <n>', 'partitions at once').argParser(integer(1, 1_024)))
    .addOption(
      new Option('--bytes-per-second-max <n>', 'that each shard gives away to copies').argParser(
        integer(65_536, 1_000_000_000_000),
      ),
    )
    .addOption(
      new Option('--replace-after-ms <n>', 'how long a shard may be down before it is replaced').argParser(
        integer(10_000, 604_800_000),
      ),
    )
    .addOption(ifEpoch())
    .action((_flags: unknown, command: Command) => limits(command));
}
