/** What the cluster looks like, for a person or a program. */
import type { ClusterView } from '@ringleader/contracts';
import type { Command } from 'commander';
import { EXIT } from './failure.js';
import { bodyOf } from './gateway-client.js';
import { clientOf, type GlobalFlags } from './global-options.js';
import { table } from './table.js';

export function describeCluster(view: ClusterView): string {
  const { partitionMap: map, coordinator } = view;
  const members = view.members.map(({ service, id, state, verdict, version, address }) => [
    id,
    service,
    state,
    verdict,
    roleOf(id, coordinator),
    version,
    address,
  ]);
  const shards = map.shards.map(({ shard, zone, replicas, leaders }) => [
    shard,
    zone,
    String(replicas),
    String(leaders),
  ]);
  return [
    `${view.name} (${view.id ?? 'id unknown'}): ${view.health}`,
    ...view.reasons.map((reason) => `  ${reason}`),
    '',
    table(['MEMBER', 'SERVICE', 'STATE', 'VERDICT', 'ROLE', 'VERSION', 'PROBES'], members),
    '',
    `${map.partitions} partitions x ${map.replicationFactor}, map epoch ${map.epoch}, ${map.withoutLeader} without a leader`,
    table(['SHARD', 'ZONE', 'REPLICAS', 'LEADERS'], shards),
  ].join('\n');
}

/** Of a coordinator: in the group, and how far behind. */
function roleOf(id: string, { leader, term, members }: ClusterView['coordinator']): string {
  if (id === leader) return `leader, term ${term ?? '?'}`;
  const member = members.find(({ name }) => name === id);
  if (member === undefined) return '';
  return member.lag === 0 ? member.role : `${member.role}, ${member.lag} behind`;
}

async function status(command: Command): Promise<void> {
  const flags = command.optsWithGlobals<GlobalFlags>();
  const client = clientOf(flags);
  const view = bodyOf(await client.cluster(), client);
  console.log(flags.format === 'json' ? JSON.stringify(view, null, 2) : describeCluster(view));
  if (view.health === 'unavailable') process.exitCode = EXIT.nothingDone;
}

export function addClusterCommands(root: Command): void {
  root
    .command('status')
    .description('Members, verdicts, partitions and leaders; exits with 5 where the cluster is unavailable.')
    .action((_flags: unknown, command: Command) => status(command));
}
