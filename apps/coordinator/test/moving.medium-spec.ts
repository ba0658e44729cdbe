import { afterEach, describe, expect, it } from '@jest/globals';
import { OperationalError, memberKey } from '@ringleader/contracts';
import type { Member, PartitionEntry } from '@ringleader/contracts';
import { type CoordinationClient, PartitionMapMirror, registerShard } from '@ringleader/coordination';
import { systemClock } from '@ringleader/observability';
import { until } from '@ringleader/testing-servers';
import { CoordinatorGroup, WAIT } from './coordinator-group.js';

const TIMEOUT_MS = 90_000;
const ORDINALS = 65_536;

/** A shard as far as coordinators see it: registered, serving, and reporting what it leads. */
class ReportedShard {
  readonly client: CoordinationClient;

  constructor(
    group: CoordinatorGroup,
    readonly ordinal: number,
  ) {
    this.client = group.client(group.members, { service: 'shard', member: `shard-${ordinal}` });
  }

  async start(): Promise<void> {
    const id = `shard-${this.ordinal}`;
    const registered = await registerShard(this.client, {
      shardId: id,
      ...{ zone: '', weight: 1, databaseIncarnation: 0, databaseOrdinal: null, setAside: [] },
      ...{ systemIdentifier: id, timeline: 1, walPosition: '0/1' },
      raiseDatabaseIncarnation: () => Promise.resolve(),
    });
    expect(registered).toMatchObject({ ordinal: this.ordinal });
    const member: Member = {
      ...{ service: 'shard', id, address: '', version: '0', instance: 'i', state: 'serving' },
      ...{ startedAt: new Date().toISOString(), ordinal: this.ordinal },
    };
    await this.client.txn({
      compare: [],
      success: [{ kind: 'put', key: memberKey('shard', id), value: JSON.stringify(member) }],
      failure: [],
    });
  }

  /** Whatever moves has caught up, or is ready. */
  async report(entries: readonly PartitionEntry[]): Promise<void> {
    const moving = entries.filter(
      ({ learners, nextReplicas }) => learners.length > 0 || nextReplicas !== null,
    );
    if (moving.length === 0) return;
    const reports = moving
      .filter(
        ({ replicas, nextReplicas }) => (nextReplicas ?? replicas).find((of) => of < 4) === this.ordinal,
      )
      .map(({ partition, epoch, learners, nextReplicas }) => ({
        ...{ partition, epoch, ballot: ORDINALS + this.ordinal, ready: nextReplicas !== null },
        learners: learners.map((ordinal) => ({ ordinal, caughtUp: true, bytesDone: 1, bytesTotal: 1 })),
      }));
    await this.client
      .ask('reportMoves', { ordinal: this.ordinal, incarnation: 1, reports, quietMs: null })
      .catch((error: unknown) => {
        // Said again, as shards do.
        if (!(error instanceof OperationalError)) throw error;
      });
  }
}

describe('moves of partitions', () => {
  let group: CoordinatorGroup;
  let mirror: PartitionMapMirror;

  afterEach(async () => {
    mirror.stop();
    await group.stop();
  }, TIMEOUT_MS);

  it(
    'go on where the leader of the coordinators was killed, and obey operators only',
    async () => {
      group = await CoordinatorGroup.start({ RINGLEADER_PARTITION_COUNT: '16' });
      const operator = group.client();
      mirror = new PartitionMapMirror({ client: operator, clock: systemClock });
      await mirror.start();
      const shards = [1, 2, 3, 4].map((ordinal) => new ReportedShard(group, ordinal));
      for (const shard of shards.slice(0, 3)) await shard.start();
      await until('the map', () => mirror.partitionCount > 0, WAIT);
      await shards[3]!.start();
      const isBegun = (): boolean => mirror.entries.some(({ learners }) => learners.includes(4));
      await until('moves', isBegun, WAIT);

      await group.kill9(await group.leader());
      const held = (): number => mirror.entries.filter(({ replicas }) => replicas.includes(4)).length;
      const isSettled = (): boolean => mirror.entries.every(({ nextReplicas }) => nextReplicas === null);
      await until(
        'the new shard to hold its share, and nothing to be on its way',
        async () => {
          await Promise.all(shards.map((shard) => shard.report(mirror.entries)));
          return held() >= 11 && isSettled();
        },
        { ...WAIT, seen: () => `${held()} held` },
      );
      expect(mirror.entries.every(({ replicas }) => new Set(replicas).size === 3)).toBe(true);

      const command = { kind: 'drain', shard: 'shard-4' } as const;
      const byShard = shards[3]!.client.ask('changePlacement', { command });
      await expect(byShard).rejects.toMatchObject({ code: 'FORBIDDEN' });
      const others = shards[0]!.client.ask('reportMoves', { ordinal: 2, incarnation: 1, reports: [] });
      await expect(others).rejects.toMatchObject({ code: 'FORBIDDEN' });
      const { plan } = await operator.ask('placement', {});
      const { epoch } = await operator.ask('changePlacement', { command, ifEpoch: plan.epoch });
      expect(epoch).toBe(plan.epoch + 1);
      const again = operator.ask('changePlacement', { command, ifEpoch: plan.epoch });
      await expect(again).rejects.toMatchObject({ code: 'PRECONDITION_FAILED', details: { epoch } });
      const imagined = await operator.ask('planPlacement', {
        commands: [{ kind: 'undrain', shard: 'shard-4' }],
      });
      expect(imagined.shards.find(({ shard }) => shard === 'shard-4')).toMatchObject({ state: 'active' });
    },
    TIMEOUT_MS,
  );
});
