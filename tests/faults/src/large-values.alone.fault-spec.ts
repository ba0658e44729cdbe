/**
 * More bytes at once than the cluster can take: it refuses early or makes clients wait, and stays what it is. Nobody is
 * told that it is away, no registration lapses, nobody stands for election, and all that was acknowledged is there.
 *
 * Leases are longer than usual: what keeps them alive must not stand behind megabytes, which takes seconds. That a process is kept
 * from its core for half a second is a busy machine's to say, and is no fault of the cluster's.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RestClient } from '@ringleader/testing-workload';
import type { RestAnswer } from '@ringleader/testing-workload';
import { startLocalCluster } from '@ringleader/testing-local-cluster';
import type { LocalClusterHandle } from '@ringleader/testing-local-cluster';

const START_MS = 240_000;
const SCENARIO_MS = 240_000;
const TIMEOUT_MS = 60_000;
const LARGE_BYTES = 1_000_000;
const LARGE_CLIENTS = 24;
const SMALL_CLIENTS = 8;
const ROUNDS = 3;
/** Together they fill a batch. */
const VALUES_OF_BATCH = 7;
/** Nothing was done, and the client may come again. */
const EARLY_REFUSALS: ReadonlySet<string> = new Set(['OVERLOADED', 'RATE_LIMITED']);
/** What a write may be told whose leader dies: it says the same again. */
const HONEST_AT_DEATH: ReadonlySet<string> = new Set([...EARLY_REFUSALS, 'OUTCOME_UNKNOWN']);
const VICTIM = 'shard-2';
/** Several times what a shard of this test has in memory: nothing gathers without a bound. */
const RESIDENT_BYTES_MAX = 1_000_000_000;
const LEASE_MS = 3_000;
/** Acknowledged before the shard dies, while it is away, and after it has begun anew. */
const WRITES_PER_PHASE = 40;
const RETRY_AFTER_MS = 250;
const LOOK_MS = 250;

interface Member {
  readonly service: string;
  readonly id: string;
  readonly address: string;
  readonly startedAt: string;
}

interface ClusterDocument {
  readonly coordinator: { readonly term: number | null };
  readonly members: readonly Member[];
  readonly partitionMap: {
    readonly partitions: number;
    readonly shards: readonly { readonly leaders: number }[];
  };
}

describe('large values', () => {
  let cluster: LocalClusterHandle;
  let client: RestClient;

  beforeAll(async () => {
    cluster = await startLocalCluster({ env: { RINGLEADER_LEASE_MS: String(LEASE_MS) } });
    await cluster.untilHealthy();
    const [url = ''] = await cluster.gatewayUrls();
    client = new RestClient(url, LARGE_CLIENTS + SMALL_CLIENTS + 4);
  }, START_MS);
  afterAll(async () => {
    await client.close();
    await cluster.dispose();
  }, START_MS);

  it(
    'of many clients at once keep everybody waiting, and nobody out',
    async () => {
      // What a shard that came last did not lead yet is handed over to it, by an election that nobody lacks anything for.
      await eventually(async () => isLedEvenly(await read()));
      const before = await read();
      const electionsBefore = await elections(before);
      expect(electionsBefore).toBeGreaterThan(0);
      const watch = watchMembers(before);
      const refusals = new Set<string>();
      const written = new Map<string, Buffer>();
      await Promise.all([
        ...range(LARGE_CLIENTS, (i) => write(`large/${i}`, LARGE_BYTES, { refusals, written })),
        ...range(SMALL_CLIENTS, (i) => write(`small/${i}`, 100, { refusals, written })),
        writeBatch({ refusals, written }),
      ]);
      const changed = await watch.stop();
      const after = await read();
      expect([...refusals].filter((code) => !EARLY_REFUSALS.has(code))).toEqual([]);
      expect(changed).toEqual([]);
      expect(after.coordinator.term).toBe(before.coordinator.term);
      expect(await elections(after)).toBe(electionsBefore);
      expect(await missing(written)).toEqual([]);
      expect(await listed('large/')).toBe(LARGE_CLIENTS);
    },
    SCENARIO_MS,
  );

  it(
    'are written on while a shard dies; it catches up with them, and nothing gathers',
    async () => {
      const before = await read();
      const watch = watchMembers(before);
      const refusals = new Set<string>();
      const written = new Map<string, Buffer>();
      let writes = 0;
      let isOver = false;
      const writer = async (key: string): Promise<void> => {
        for (let round = 1; !isOver; round++) {
          await write(key, LARGE_BYTES, { refusals, written, rounds: [round], repeats: HONEST_AT_DEATH });
          writes += 1;
        }
      };
      const further = (): Promise<void> => {
        const wanted = writes + WRITES_PER_PHASE;
        return eventually(() => writes >= wanted);
      };
      const writing = Promise.all(range(LARGE_CLIENTS, (i) => writer(`dying/${i}`)));
      await further();
      const pid = await cluster.signal(VICTIM, 'SIGKILL');
      await further();
      await cluster.untilRestarted(VICTIM, pid);
      await further();
      isOver = true;
      await writing;
      await eventually(async () => startOf(await read(), VICTIM) !== startOf(before, VICTIM));
      await cluster.untilHealthy();
      expect(await watch.stop()).toEqual([VICTIM]);
      expect([...refusals].filter((code) => !HONEST_AT_DEATH.has(code))).toEqual([]);
      expect((await read()).coordinator.term).toBe(before.coordinator.term);
      expect(await missing(written)).toEqual([]);
      for (const bytes of await residentBytes(await read())) expect(bytes).toBeLessThan(RESIDENT_BYTES_MAX);
    },
    SCENARIO_MS,
  );

  interface Findings {
    readonly refusals: Set<string>;
    /** The last acknowledged value of each key. */
    readonly written: Map<string, Buffer>;
    /** Left out, the first few. */
    readonly rounds?: readonly number[];
    /** Refusals after which the same is tried again; left out, early ones. */
    readonly repeats?: ReadonlySet<string>;
  }

  async function write(key: string, bytes: number, findings: Findings): Promise<void> {
    for (const round of findings.rounds ?? range(ROUNDS, (i) => i + 1)) {
      const value = valueOf(key, round, bytes);
      await insist(findings, () => client.put(key, value, { timeoutMs: TIMEOUT_MS }));
      findings.written.set(key, value);
    }
  }

  async function writeBatch(findings: Findings): Promise<void> {
    const keys = range(VALUES_OF_BATCH, (i) => `batch/${i}`);
    const values = keys.map((key) => Buffer.alloc(LARGE_BYTES, key));
    const operations = keys.map((key, i) => ({
      op: 'put' as const,
      key,
      value: values[i]!.toString('latin1'),
    }));
    await insist(findings, () => client.batch(operations, TIMEOUT_MS));
    keys.forEach((key, i) => findings.written.set(key, values[i]!));
  }

  /** Again and again while it is refused; any other refusal ends the attempts, and is noted. */
  async function insist(
    { refusals, repeats = EARLY_REFUSALS }: Findings,
    attempt: () => Promise<RestAnswer>,
  ): Promise<void> {
    for (;;) {
      const { status, code } = await attempt();
      if (status >= 200 && status < 300) return;
      const refusal = code === '' ? String(status) : code;
      refusals.add(refusal);
      if (!repeats.has(refusal)) return;
      await delay(RETRY_AFTER_MS);
    }
  }

  async function missing(written: ReadonlyMap<string, Buffer>): Promise<string[]> {
    const found: string[] = [];
    for (const [key, value] of written) {
      const { body } = await client.get(key, { timeoutMs: TIMEOUT_MS });
      if (!body.equals(value)) found.push(key);
    }
    return found;
  }

  /** A list of large values comes in pages. */
  async function listed(prefix: string): Promise<number> {
    let count = 0;
    let cursor: string | undefined;
    do {
      const page = await client.list({ prefix, ...(cursor === undefined ? {} : { cursor }) }, TIMEOUT_MS);
      expect(page.status).toBe(200);
      const found = JSON.parse(page.body.toString('utf8')) as { items: readonly unknown[]; cursor?: string };
      count += found.items.length;
      cursor = found.cursor;
    } while (cursor !== undefined);
    return count;
  }

  async function read(): Promise<ClusterDocument> {
    const answer = await client.request('GET', '/v1/cluster', undefined, TIMEOUT_MS);
    expect(answer.status).toBe(200);
    return JSON.parse(answer.body.toString('utf8')) as ClusterDocument;
  }

  /** Who is not among the members any more, or not the same, whenever it is looked. */
  function watchMembers(before: ClusterDocument): { stop(): Promise<string[]> } {
    const changed = new Set<string>();
    let isWatching = true;
    const watching = (async (): Promise<void> => {
      while (isWatching) {
        const { members } = await read();
        for (const { id, startedAt } of before.members) {
          if (!members.some((now) => now.id === id && now.startedAt === startedAt)) changed.add(id);
        }
        await delay(LOOK_MS);
      }
    })();
    return {
      stop: async () => {
        isWatching = false;
        await watching;
        return [...changed];
      },
    };
  }
});

async function eventually(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await delay(LOOK_MS);
}

function startOf({ members }: ClusterDocument, member: string): string | undefined {
  return members.find(({ id }) => id === member)?.startedAt;
}

async function metricsOfShards({ members }: ClusterDocument): Promise<readonly string[]> {
  const shards = members.filter(({ service }) => service === 'shard');
  return Promise.all(shards.map(async ({ address }) => (await fetch(`http://${address}/metrics`)).text()));
}

async function residentBytes(document: ClusterDocument): Promise<readonly number[]> {
  const texts = await metricsOfShards(document);
  return texts.map((text) =>
    Number(/^ringleader_process_resident_memory_bytes(?:\{[^}]*\})? (\S+)$/m.exec(text)?.[1]),
  );
}

/** As the first map prefers: nothing is left to hand over. */
function isLedEvenly({ partitionMap: { partitions, shards } }: ClusterDocument): boolean {
  const leaders = shards.map((shard) => shard.leaders);
  const all = leaders.reduce((sum, count) => sum + count, 0);
  return all === partitions && Math.max(...leaders) - Math.min(...leaders) <= 1;
}

/** How often shards have stood or begun to lead. */
async function elections(document: ClusterDocument): Promise<number> {
  const counts = (await metricsOfShards(document))
    .join('\n')
    .matchAll(/partition_events_total\{[^}]*kind="(?:candidacy|leading)"[^}]*\} (\d+)/g);
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}

function valueOf(key: string, round: number, bytes: number): Buffer {
  return Buffer.alloc(bytes, `${key} ${round} `);
}

function range<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}
