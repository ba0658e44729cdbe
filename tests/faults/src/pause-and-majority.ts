/**
 * Processes that stop for a while and go on (SIGSTOP, SIGCONT): no stale read and no lost write; and the loss of a majority of
 * shards: clear errors within the deadline, and all data when they are back.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import { RestClient } from '@ringleader/testing-workload';
import { until } from '@ringleader/testing-servers';
import { readCluster, verdictOf } from './cluster-facts.js';
import type { RunningCluster } from './loaded-cluster.js';

const SCENARIO_MS = 240_000;
/** The length of a pause is what these scenarios are about: longer than any lease. */
const PAUSE_MS = 5_000;

export function pauses(running: RunningCluster): void {
  it.each(['shard-1', 'shard-3', 'postgres-2', 'nats-server'])(
    'SIGSTOP of %s for 5 s',
    async (member) => {
      await running().survive(`pause-${member}`, () => running().pause(member, PAUSE_MS));
    },
    SCENARIO_MS,
  );

  it(
    'a shard that stands still is doubted, then down, by the word and the probes of others, and alive when it goes on',
    async () => {
      const { cluster, url } = running();
      const becomes = async (...verdicts: readonly string[]): Promise<number> => {
        const startedMs = performance.now();
        const isSo = async (): Promise<boolean> => verdicts.includes(await verdictOf(url, 'shard-2'));
        await until(`shard-2 to be ${verdicts.join(' or ')}`, isSo, {
          timeoutMs: SCENARIO_MS / 4,
          everyMs: 10,
        });
        return Math.round(performance.now() - startedMs);
      };
      await becomes('alive');
      await cluster.signal('shard-2', 'SIGSTOP');
      // On a busy machine it may be down by the next look.
      const doubtedMs = await becomes('suspect', 'down');
      const { members } = await readCluster(url);
      const votes = members.find(({ id }) => id === 'shard-2')?.evidence ?? [];
      const downMs = doubtedMs + (await becomes('down'));
      await cluster.signal('shard-2', 'SIGCONT');
      const aliveMs = await becomes('alive');
      process.stdout.write(`shard-2 stopped: ${JSON.stringify({ doubtedMs, downMs, aliveMs })}\n`);
      // One that doubted it a while ago, and does not yet, says so; one that holds it for what was before asks nobody.
      const doubts = votes.filter(({ verdict }) => verdict !== 'alive');
      expect(new Set(doubts.map(({ detector }) => detector)).size).toBeGreaterThanOrEqual(2);
      const asked = doubts.filter(({ held }) => held !== true);
      expect(asked).not.toHaveLength(0);
      for (const { detector, probes } of asked) {
        expect(probes.map(({ by }) => by)).toContain(detector);
        expect(probes.some(({ outcome }) => outcome === 'answered')).toBe(false);
      }
    },
    SCENARIO_MS,
  );

  it(
    'two of three shards down: honest errors within the deadline, then all data',
    async () => {
      const { cluster, url } = running();
      const seen = { write: 0, read: 0 };
      const findings = await running().survive('majority', async () => {
        await cluster.signal('shard-1', 'SIGSTOP');
        await cluster.signal('shard-2', 'SIGSTOP');
        await delay(PAUSE_MS);
        const client = new RestClient(url, 2);
        const [write, read] = await Promise.all([
          client.put('majority/write', 'x', { timeoutMs: 1_000 }),
          client.get('majority/read', { timeoutMs: 1_000 }),
        ]);
        Object.assign(seen, { write: write.status, read: read.status });
        await client.close();
        await cluster.signal('shard-1', 'SIGCONT');
        await cluster.signal('shard-2', 'SIGCONT');
      });
      // Of the gateway's own accord, while they are stopped: a client that gives up has no status.
      expect([503, 504]).toContain(seen.write);
      expect([503, 504]).toContain(seen.read);
      expect(findings.errors).toBeGreaterThan(0);
    },
    SCENARIO_MS,
  );
}
