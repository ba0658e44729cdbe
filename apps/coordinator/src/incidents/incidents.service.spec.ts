import { beforeEach, describe, expect, it } from '@jest/globals';
import { memberKey, partitionKey } from '@ringleader/contracts';
import { createLogger } from '@ringleader/observability';
import { GroupOfOne, ManualClock } from '../../test/group-of-one.js';
import { IncidentsController } from './incidents.controller.js';
import { putMetadata } from '../store/metadata.js';
import { INCIDENTS_KEPT, type IncidentReport, IncidentsService } from './incidents.service.js';

const report = (detail: string): IncidentReport => ({
  kind: 'REPLICA_DIFFERED',
  shard: 'shard-1',
  ordinal: 1,
  partition: 7,
  keys: ['k'],
  detail,
  mended: true,
});

describe('incidents', () => {
  const shard = { service: 'shard', member: 'shard-1' } as const;
  let group: GroupOfOne;
  let clock: ManualClock;
  let service: IncidentsService;
  let controller: IncidentsController;

  beforeEach(() => {
    group = new GroupOfOne();
    clock = new ManualClock();
    const logger = createLogger({ level: 'silent', service: 'coordinator', member: 'c-1' });
    service = new IncidentsService(group.store, clock, logger);
    controller = new IncidentsController(group.store, service);
  });

  const details = (): string[] => service.list().map(({ detail }) => detail);

  it('are kept in their order, also where a leader’s clock is behind, and only the newest', async () => {
    for (let i = 0; i < INCIDENTS_KEPT + 3; i++) {
      clock.now -= 1;
      await controller.reportIncident(report(`no. ${i}`), shard);
    }
    expect(details()).toHaveLength(INCIDENTS_KEPT);
    expect(details()[0]).toBe('no. 3');
    expect(details().at(-1)).toBe(`no. ${INCIDENTS_KEPT + 2}`);
  });

  it('are the same when a report is repeated, and others later', async () => {
    const { id } = await controller.reportIncident(report('a'), shard);
    expect(await controller.reportIncident(report('a'), shard)).toEqual({ id });
    clock.now += 600_001;
    await controller.reportIncident(report('a'), shard);
    expect(details()).toEqual(['a', 'a']);
  });

  it('are the same for as long as they are not mended, and are forgotten after all that are', async () => {
    const stays = {
      ...report('stays down'),
      kind: 'DATABASE_FORGOT',
      partition: null,
      mended: false,
    } as const;
    const { id } = await controller.reportIncident(stays, shard);
    for (let i = 0; i < INCIDENTS_KEPT; i++) {
      clock.now += 600_001;
      await controller.reportIncident(report(`no. ${i}`), shard);
      expect(await controller.reportIncident(stays, shard)).toEqual({ id });
    }
    expect(details()).toHaveLength(INCIDENTS_KEPT);
    expect(details().slice(0, 2)).toEqual(['stays down', 'no. 1']);
  });

  it('are told and written down beside one that nobody can read', async () => {
    await controller.reportIncident(report('a'), shard);
    await group.store.propose({
      ...{ kind: 'txn', compare: [], failure: [] },
      success: [putMetadata('/ringleader/incidents/000000000000001', { ofALaterVersion: true })],
    });
    await controller.reportIncident(report('b'), shard);
    expect(details()).toEqual(['a', 'b']);
  });

  it('are mended by what was done later, and by a comparison that finds no difference any more', async () => {
    const open = (kind: IncidentReport['kind'], detail: string, partition: number | null) =>
      controller.reportIncident({ ...report(detail), kind, partition, mended: false }, shard);
    await open('DATABASE_FORGOT', 'stays down', null);
    await open('REPLICA_DIFFERED', 'a tie', 7);
    await open('REPLICA_DIFFERED', 'another', 8);
    const unmended = (): string[] => service.list().flatMap(({ mended, detail }) => (mended ? [] : [detail]));
    await controller.reportIncident(
      { ...report('comes back'), kind: 'DATABASE_FORGOT', partition: null },
      shard,
    );
    expect(unmended()).toEqual(['a tie', 'another']);
    await service.closeDiffering(new Set([1, 8]));
    expect(unmended()).toEqual(['a tie']);
    await service.closeDiffering(new Set([7]));
    expect(unmended()).toEqual([]);
  });

  it('get ids of their own when two are reported at once', async () => {
    const reported = await Promise.all(
      ['a', 'b', 'c'].map((detail) => controller.reportIncident(report(detail), shard)),
    );
    expect(new Set(reported.map(({ id }) => id)).size).toBe(3);
    expect(details().sort()).toEqual(['a', 'b', 'c']);
  });

  it('are mended, where a whole database was lost, once the map names its ordinal no more', async () => {
    const entry = (replicas: readonly number[]) => ({
      ...{ partition: 0, epoch: 1, replicas, nextReplicas: null, learners: [], preferredLeader: replicas[0] },
    });
    const learn = (replicas: readonly number[]): Promise<unknown> =>
      group.store.propose({
        ...{ kind: 'txn', compare: [], failure: [] },
        success: [putMetadata(partitionKey(0), entry(replicas))],
      });
    const lost = { ...report('gone'), partition: null, kind: 'DATABASE_FORGOT', mended: false } as const;
    await controller.reportIncident(lost, shard);
    await controller.reportIncident({ ...report('a tie'), mended: false }, shard);
    const mended = async (): Promise<boolean[]> => {
      await service.look();
      return service.list().map((incident) => incident.mended);
    };
    expect(await mended()).toEqual([false, false]);
    await learn([1, 2, 3]);
    expect(await mended()).toEqual([false, false]);
    // Of an entry that nobody can read nobody knows whom it names.
    const put = (value: object): Promise<unknown> =>
      group.store.propose({
        ...{ kind: 'txn', compare: [], failure: [], success: [putMetadata(partitionKey(1), value)] },
      });
    await put({ of: 'another version' });
    await learn([2, 3, 4]);
    expect(await mended()).toEqual([false, false]);
    await put({ ...entry([2, 3, 4]), partition: 1 });
    expect(await mended()).toEqual([true, false]);
  });

  it('are mended, where a shard stayed down with another volume, once it serves from its own again', async () => {
    const put = (key: string, value: object): Promise<unknown> =>
      group.store.propose({
        ...{ kind: 'txn', compare: [], failure: [], success: [putMetadata(key, value)] },
      });
    const entry = { partition: 0, epoch: 1, replicas: [1, 2, 3], nextReplicas: null, learners: [] };
    await put(partitionKey(0), { ...entry, preferredLeader: 1 });
    await put(partitionKey(1), { of: 'another version' });
    const live = (ordinal: number, state: string): Promise<unknown> =>
      put(memberKey('shard', 'shard-1'), {
        ...{ service: 'shard', id: 'shard-1', address: '', version: '1', instance: 'i', ordinal, state },
        startedAt: '2026-01-01T00:00:00.000Z',
      });
    await live(1, 'serving');
    const lost = { ...report('stays down'), partition: null, mended: false };
    await controller.reportIncident({ ...lost, kind: 'DATABASE_FORGOT' }, shard);
    await controller.reportIncident({ ...lost, kind: 'PAGE_UNREADABLE' }, shard);
    const mended = async (): Promise<boolean[]> => {
      await service.look();
      return service.list().map((incident) => incident.mended);
    };
    // What was there before says nothing.
    expect(await mended()).toEqual([false, false]);
    await live(1, 'joining');
    expect(await mended()).toEqual([false, false]);
    await live(4, 'serving');
    expect(await mended()).toEqual([false, false]);
    await live(1, 'serving');
    // A page that nobody reads is as it was.
    expect(await mended()).toEqual([true, false]);
  });

  it('are taken from the shard that they are of, and by the leader', async () => {
    const other = { service: 'shard', member: 'shard-2' } as const;
    await expect(controller.reportIncident(report('a'), other)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    group.lead({ term: 2, leader: 3, leading: false });
    await expect(controller.reportIncident(report('a'), shard)).rejects.toMatchObject({
      code: 'NOT_LEADER',
      details: { leader: 3 },
    });
  });
});
