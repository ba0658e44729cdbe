import { beforeEach, describe, expect, it } from '@jest/globals';
import { OperationalError, VERIFICATION_KEY, type VerifiedPartition } from '@ringleader/contracts';
import { createLogger } from '@ringleader/observability';
import { GroupOfOne, ManualClock } from '../../test/group-of-one.js';
import { IncidentsService } from '../incidents/incidents.service.js';
import { createClusterCommand } from '../placement/first-map.js';
import { putMetadata } from '../store/metadata.js';
import { VerificationController } from './verification.controller.js';
import { VerificationService } from './verification.service.js';

const PARTITIONS = 16;

describe('verification on demand', () => {
  let group: GroupOfOne;
  let controller: VerificationController;

  beforeEach(async () => {
    group = new GroupOfOne();
    const logger = createLogger({ level: 'silent', service: 'coordinator', member: 'c-1' });
    const clock = new ManualClock();
    const incidents = new IncidentsService(group.store, clock, logger);
    const service = new VerificationService(group.store, clock, logger, incidents);
    service.onApplicationBootstrap();
    controller = new VerificationController(group.store, service);
    const cluster = { clusterId: 'c', name: 'local', partitionCount: PARTITIONS, replicationFactor: 3 };
    const createdAt = new Date(0).toISOString();
    await group.store.propose(createClusterCommand({ ...cluster, initialShards: 3, createdAt }));
  });

  const done = (from: number, to: number): VerifiedPartition[] =>
    Array.from({ length: to - from }, (_, index) => {
      return { partition: from + index, complete: index > 0, rows: 10, differed: 1, mended: 1 };
    });

  it('ends when every partition was reported, however often', async () => {
    expect(controller.verification({})).toEqual({ verification: null });
    const { id } = await controller.startVerification();
    await controller.reportVerification({ id, partitions: done(0, 8) });
    await controller.reportVerification({ id, partitions: done(0, 8) });
    expect(controller.verification({}).verification).toMatchObject({
      endedAt: null,
      partitionsDone: 8,
      rows: 80,
    });
    await controller.reportVerification({ id: 'an older one', partitions: done(8, 16) });
    expect(controller.verification({}).verification).toMatchObject({ endedAt: null, partitionsDone: 8 });
    await controller.reportVerification({ id, partitions: done(8, 16) });
    expect(controller.verification({}).verification).toMatchObject({
      ...{ id, partitionsDone: PARTITIONS, incomplete: 2, rows: 160, differed: 16, mended: 16 },
      endedAt: '1970-01-01T00:00:01.000Z',
    });
  });

  it('is joined while it is under way, and begins anew after its end', async () => {
    const { id } = await controller.startVerification();
    expect(await controller.startVerification()).toMatchObject({ id });
    await controller.reportVerification({ id, partitions: done(0, 16) });
    expect((await controller.startVerification()).id).not.toBe(id);
  });

  it('is none that cannot be read, in whose place the next one comes', async () => {
    const success = [putMetadata(VERIFICATION_KEY, { id: 'of a newer version' })];
    await group.store.propose({ kind: 'txn', compare: [], success, failure: [] });
    expect(controller.verification({})).toEqual({ verification: null });
    const [first, second] = await Promise.all([
      controller.startVerification(),
      controller.startVerification(),
    ]);
    expect(second.id).toBe(first.id);
    expect(controller.verification({}).verification).toMatchObject({ id: first.id });
  });

  it('is known to another leader once shards have said again what they did', async () => {
    const { id } = await controller.startVerification();
    await controller.reportVerification({ id, partitions: done(0, 15) });
    group.lead({ term: 2, leader: 2, leading: false });
    expect(() => controller.verification({})).toThrow(OperationalError);
    group.lead({ term: 3, leader: 1, leading: true });
    expect(controller.verification({}).verification).toMatchObject({ id, partitionsDone: 0 });
    await controller.reportVerification({ id, partitions: done(0, 16) });
    expect(controller.verification({}).verification).toMatchObject({ id, partitionsDone: PARTITIONS });
  });
});
