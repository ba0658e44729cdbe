/**
 * What placement costs the coordinators' leader in a large cluster, without one: CPU time of the map, of looks at it and of
 * what operators read, and the sizes of what is said all the time.
 */
import { type Heartbeat, encodeWatchedEvent } from '@ringleader/contracts';
import {
  type ClusterState,
  PlacementLoop,
  applyChanges,
  compareMaps,
  computeMap,
  decideCommand,
  describe,
} from '@ringleader/placement';
import { ByteWriter, invariant } from '@ringleader/primitives';

export interface Scale {
  readonly shards: number;
  readonly partitions: number;
}

const REPLICATION_FACTOR = 3;
const ZONES = 3;
const NOW_MS = 1_000_000;
const LIMITS = { movesMax: 64, bytesPerSecondMax: 33_554_432, replaceAfterMs: 600_000 };
const MICROSECONDS_PER_MS = 1_000;

class Rows {
  readonly rows: string[] = [];

  /** CPU time, with what the compiler and the collector take beside. */
  time<T>(what: string, work: () => T): T {
    const before = process.cpuUsage();
    const result = work();
    const { user, system } = process.cpuUsage(before);
    this.rows.push(`| ${what} | ${((user + system) / MICROSECONDS_PER_MS).toFixed(0)} |`);
    return result;
  }
}

function withShards(state: ClusterState, from: number, to: number): ClusterState {
  const registrations = new Map(state.registrations);
  const present = new Map(state.present);
  const verdicts = new Map(state.verdicts);
  for (let ordinal = from; ordinal <= to; ordinal++) {
    const shardId = `shard-${ordinal}`;
    registrations.set(shardId, { shardId, ordinal, zone: `zone-${ordinal % ZONES}`, weight: 1 });
    present.set(shardId, { ordinal, isServing: true });
    verdicts.set(shardId, { verdict: 'alive', sinceMs: 0 });
  }
  return { ...state, registrations, present, verdicts };
}

function firstMap(state: ClusterState): ClusterState {
  const { partitionCount, replicationFactor } = state;
  const shards = [...state.registrations.values()].map(({ shardId: id, ...rest }) => ({ id, ...rest }));
  const result = computeMap({ partitionCount, replicationFactor, shards });
  invariant(result.kind === 'placed', 'there are enough shards');
  const map = result.partitions.map((placement, partition) => {
    return { partition, epoch: 1, ...placement, nextReplicas: null, learners: [] };
  });
  return { ...state, map };
}

export function placementScale({ shards, partitions }: Scale): string {
  const rows = new Rows();
  let state = withShards(
    {
      ...{ partitionCount: partitions, replicationFactor: REPLICATION_FACTOR, map: [], control: null },
      ...{
        places: new Map(),
        moves: new Map(),
        registrations: new Map(),
        present: new Map(),
        verdicts: new Map(),
        elapsed: new Map(),
      },
    },
    1,
    shards,
  );
  state = rows.time('first map', () => firstMap(state));
  const loop = new PlacementLoop({ initialLimits: LIMITS });
  const look = (what: string): void => {
    const { work } = rows.time(what, () => loop.look(state, NOW_MS));
    for (const { changes } of work) state = applyChanges(state, changes) ?? state;
  };
  look('first look of a leader: places and target');
  look('a look that finds nothing to do');
  const more = shards + Math.ceil(shards / 10);
  const before = state.map;
  state = withShards(state, shards + 1, more);
  look('10 % more shards: places and target');
  look('a look that begins 64 moves');
  look('a look with moves wanted and under way');
  const seen = { state, reports: loop.reports, initialLimits: LIMITS };
  const overview = (of: ClusterState): number => {
    const what = { ...seen, state: of, look: loop.imagine(of, NOW_MS) };
    return describe(what).plan.movesTotal;
  };
  const movesTotal = rows.time('what operators read', () => overview(state));
  const drained = decideCommand(state, { kind: 'drain', shard: 'shard-7' }, NOW_MS);
  invariant(drained.kind === 'changes', 'a shard of many can be drained');
  const imagined = applyChanges(state, drained.changes);
  rows.time('a dry run of a drain', () => overview(imagined!));
  rows.time('another', () => overview(imagined!));
  const target = loop.planner.plan(state).target ?? [];
  const copies = compareMaps(before, target).moves.length;
  const least = (partitions * REPLICATION_FACTOR * (more - shards)) / more;
  return [
    `${shards} shards, ${partitions} partitions x ${REPLICATION_FACTOR} in ${ZONES} zones; heap afterwards ${heapMb()} MB`,
    `10 % more shards: ${copies} copies, ${(copies / least).toFixed(2)} of the least; ${movesTotal} still to do`,
    '',
    '| what | CPU ms |',
    '| --- | --- |',
    ...rows.rows,
    '',
    sizes(state),
  ].join('\n');
}

function heapMb(): string {
  return (process.memoryUsage().heapUsed / 1_048_576).toFixed(0);
}

/** In bytes, of what members are told and say. */
function sizes(state: ClusterState): string {
  const entry = JSON.stringify(state.map.at(-1));
  const item = {
    ...{ key: '/ringleader/partitions/16383', value: new Uint8Array(Buffer.from(entry)) },
    ...{ createRevision: 20_000, modRevision: 90_000, version: 4, lease: 0 },
  };
  const writer = new ByteWriter();
  const event = encodeWatchedEvent(writer, { kind: 'put', item, previous: null });
  const heartbeat: Heartbeat = {
    ...{
      service: 'shard',
      id: 'shard-1000',
      instance: '0b7ac31e-5d35-4c3f-8a52-0a6c4c1c4b0e',
      sequence: 100_000,
    },
    ...{ ready: true, incarnation: 1 },
    load: {
      cpuCores: 0.123,
      memoryBytes: 123_456_789,
      eventLoopLagMs: 1.234,
      inFlight: 12,
      requestsPerSecond: 123.4,
    },
  };
  return [
    '| bytes of | |',
    '| --- | --- |',
    `| an entry of the map as JSON | ${entry.length} |`,
    `| the event of its change for who watches | ${event.length} |`,
    `| a heartbeat with load | ${JSON.stringify(heartbeat).length} |`,
  ].join('\n');
}
