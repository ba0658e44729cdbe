/** recover: partitions that lost a majority for good go on with what is left of them, because a person says so. */
import type { RecoveredPartition, RecoveryView } from '@ringleader/contracts';
import type { Command } from 'commander';
import { bodyOf } from './gateway-client.js';
import { clientOf } from './global-options.js';
import { repeatable } from './moves.js';
import { type ChangeFlags, ifEpoch, shardName } from './shards.js';
import { table } from './table.js';

type RecoverFlags = ChangeFlags & { readonly lost?: readonly string[]; readonly acceptDataLoss?: true };

const PARTITIONS_SHOWN = 8;

/** Partitions of the same shards share a line. */
export function describeRecovery(partitions: readonly RecoveredPartition[]): string {
  const groups = new Map<string, { readonly one: RecoveredPartition; readonly numbers: number[] }>();
  for (const one of partitions) {
    const key = JSON.stringify([one.kept, one.copying, one.down, one.lost]);
    const group = groups.get(key) ?? { one, numbers: [] };
    group.numbers.push(one.partition);
    groups.set(key, group);
  }
  const rows = [...groups.values()].map(({ one: { kept, copying, down, lost }, numbers }) => [
    [
      ...kept.map((shard) => (down.includes(shard) ? `${shard} (down: waited for)` : shard)),
      ...copying.map((shard) => `${shard} (a copy: all of it, or nothing)`),
    ].join(', ') || 'nobody: they begin anew, empty',
    lost.join(', '),
    String(numbers.length),
    numbers.slice(0, PARTITIONS_SHOWN).join(', ') + (numbers.length > PARTITIONS_SHOWN ? ', ...' : ''),
  ]);
  return table(['GO ON WITH WHAT IS AT', 'LOST', 'COUNT', 'PARTITIONS'], rows);
}

async function recover(command: Command): Promise<void> {
  const flags = command.optsWithGlobals<RecoverFlags>();
  const { lost = [], acceptDataLoss = false } = flags;
  const client = clientOf(flags);
  const body = { lost, dryRun: !acceptDataLoss, acceptDataLoss };
  const asked = { method: 'POST', body, ifMatch: flags.ifEpoch } as const;
  const answer = await client.change<RecoveryView>('/partitions:recover', asked, 'epoch');
  const { epoch, partitions } = bodyOf(answer, client, acceptDataLoss);
  if (flags.format === 'json') {
    console.log(JSON.stringify({ epoch, done: acceptDataLoss, partitions }, null, 2));
    return;
  }
  if (partitions.length === 0) {
    console.log(`Nothing is left to do: it is done since it was asked for first (plan ${epoch}).`);
    return;
  }
  const again = [
    'ringleader recover',
    ...[...new Set(lost)].map((shard) => `--lost ${shard}`),
    '--accept-data-loss',
  ];
  console.log(
    acceptDataLoss
      ? `${partitions.length} partitions go on with what is left of them (plan ${epoch}).\n\n${describeRecovery(partitions)}`
      : `Nothing is done. ${partitions.length} partitions would go on with what is left of them, and what only the lost shards had is lost:\n\n` +
          `${describeRecovery(partitions)}\n\nTo do it: ${again.join(' ')} --if-epoch ${epoch}`,
  );
}

export function addRecoverCommand(root: Command): void {
  root
    .command('recover')
    .description(
      'Lets partitions go on that lost a majority of their replicas for good. Shows what would be done, until data loss is accepted.',
    )
    .addOption(repeatable('--lost <shard>', 'is down, and never comes back', shardName))
    .option('--accept-data-loss', 'does it: what only the lost shards had is lost with them')
    .addOption(ifEpoch())
    .action((_flags: unknown, command: Command) => recover(command));
}
