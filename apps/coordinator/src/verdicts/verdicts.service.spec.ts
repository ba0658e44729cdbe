import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { loadConfig } from '@ringleader/config';
import { mayWrite, memberKey, shardKey, verdictKey } from '@ringleader/contracts';
import type { Service, Speaker, VerdictRecord } from '@ringleader/contracts';
import { createLogger } from '@ringleader/observability';
import { until } from '@ringleader/testing-servers';
import { GroupOfOne, ManualClock } from '../../test/group-of-one.js';
import { coordinatorConfigSchema } from '../coordinator.config.js';
import { toBytes } from '../store/wire.js';
import { readVerdicts } from './verdict-steps.js';
import { VerdictsService } from './verdicts.service.js';
import { VoteController } from './vote.controller.js';

const WAIT = { timeoutMs: 5_000, everyMs: 1 };
const SHARD = 'shard/shard-1';
const speakerOf = (number: number): Speaker => ({
  service: 'failure-detector',
  member: `failure-detector-${number}`,
});

describe('verdicts', () => {
  let group: GroupOfOne;
  let clock: ManualClock;
  let service: VerdictsService;
  let controller: VoteController;
  let sequence: number;

  beforeEach(async () => {
    group = new GroupOfOne();
    clock = new ManualClock();
    sequence = 0;
    const config = loadConfig(coordinatorConfigSchema, {
      RINGLEADER_MEMBER: 'c-1',
      RINGLEADER_COORDINATOR_ID: '1',
      RINGLEADER_DATA_DIR: '/data',
    });
    const logger = createLogger({ level: 'silent', service: 'coordinator', member: 'c-1' });
    service = new VerdictsService(config, group.store, clock, logger);
    controller = new VoteController(group.store, service);
    service.onApplicationBootstrap();
    for (const number of [1, 2, 3]) await register('failure-detector', `failure-detector-${number}`);
    await put(shardKey('shard-1'), {});
    await register('shard', 'shard-1');
  });
  afterEach(() => service.beforeApplicationShutdown());

  async function put(key: string, value: object): Promise<void> {
    const operation = { kind: 'put', key, lease: 0, wantsPrevious: false } as const;
    const bytes = toBytes(JSON.stringify(value));
    const success = [{ ...operation, value: bytes }];
    await group.store.propose({ kind: 'txn', compare: [], success, failure: [] });
  }

  async function remove(key: string): Promise<void> {
    const success = [{ kind: 'delete', key, rangeEnd: null, wantsPrevious: false } as const];
    await group.store.propose({ kind: 'txn', compare: [], success, failure: [] });
  }

  const register = (of: Service, id: string, instance = 'first'): Promise<void> =>
    put(memberKey(of, id), {
      ...{ service: of, id, address: '', version: '0.1.0', instance, ordinal: 0, state: 'serving' },
      startedAt: '2026-11-26T00:00:00.000Z',
    });

  type Said = VerdictRecord['verdict'] | 'nothing' | 'unheard';
  function vote(number: number, said: Said, about = SHARD, instance = 'first'): VerdictRecord[] {
    sequence += 1;
    const [of, id] = about.split('/') as [Service, string];
    const facts = { phi: 9, missedBeats: 3, silentMs: 900, incarnation: 1 };
    const probes = [{ by: 'gateway-1', outcome: 'silent' as const }];
    const isCast = said !== 'nothing' && said !== 'unheard';
    const votes = isCast ? [{ service: of, id, instance, verdict: said, probes, ...facts }] : [];
    const unheard = said === 'unheard' ? [about] : [];
    return controller.vote({ instance: 'process', sequence, votes, unheard }, speakerOf(number)).verdicts;
  }
  const record = (of = SHARD): VerdictRecord | undefined => readVerdicts(group.store.local).get(of)?.value;
  const becomes = (verdict: VerdictRecord['verdict'] | undefined, of = SHARD): Promise<void> =>
    until(`${of} to be ${verdict}`, () => record(of)?.verdict === verdict, WAIT);

  it('are written when a majority agrees, once, with the votes as evidence', async () => {
    clock.now = 1_700_000_000_000;
    vote(1, 'suspect');
    expect(record()).toBeUndefined();
    vote(2, 'suspect');
    await becomes('suspect');
    expect(record()).toMatchObject({ service: 'shard', id: 'shard-1', instance: 'first' });
    expect(record()?.since).toBe('2023-11-14T22:13:20.000Z');
    expect(record()?.votes).toEqual(
      [1, 2].map((number) => ({
        ...{
          detector: `failure-detector-${number}`,
          verdict: 'suspect',
          phi: 9,
          missedBeats: 3,
          silentMs: 900,
        },
        ...{ incarnation: 1, probes: [{ by: 'gateway-1', outcome: 'silent' }] },
      })),
    );
    const { revision } = group.store.local;
    expect(vote(3, 'suspect')).toMatchObject([{ id: 'shard-1', verdict: 'suspect' }]);
    vote(1, 'suspect');
    expect(group.store.local.revision).toBe(revision);
    vote(1, 'down');
    vote(2, 'down');
    await becomes('down');
    vote(1, 'alive');
    vote(2, 'nothing');
    await becomes('alive');
  });

  it.each([
    ['registration', memberKey('gateway', 'gateway-1')],
    ['verdict', verdictKey('gateway', 'gateway-1')],
  ])('are made of all others beside a %s that nobody can read', async (_, key) => {
    await register('gateway', 'gateway-1');
    await put(key, { ofALaterVersion: true });
    for (const number of [1, 2]) {
      vote(number, 'down', 'gateway/gateway-1');
      vote(number, 'down');
    }
    await becomes('down');
    expect(record('gateway/gateway-1')).toBeUndefined();
  });

  it('stay as they are without a majority, however few detectors are left', async () => {
    vote(1, 'down');
    vote(2, 'down');
    await becomes('down');
    await remove(memberKey('failure-detector', 'failure-detector-2'));
    await remove(memberKey('failure-detector', 'failure-detector-3'));
    clock.now += 10_000;
    vote(1, 'nothing');
    vote(1, 'unheard');
    expect(record()?.verdict).toBe('down');
    await register('gateway', 'gateway-1');
    vote(1, 'down', 'gateway/gateway-1');
    expect(record('gateway/gateway-1')).toBeUndefined();
  });

  it('need more detectors where more are registered', async () => {
    for (const number of [4, 5]) await register('failure-detector', `failure-detector-${number}`);
    vote(1, 'suspect');
    vote(2, 'suspect');
    expect(record()).toBeUndefined();
    vote(5, 'suspect');
    await becomes('suspect');
  });

  it('are survived by a change of the leader, who counts anew', async () => {
    vote(1, 'suspect');
    vote(2, 'suspect');
    await becomes('suspect');
    group.lead({ term: 2, leader: 2, leading: false });
    expect(() => vote(1, 'down')).toThrow(expect.objectContaining({ code: 'NOT_LEADER' }));
    group.lead({ term: 3, leader: 1, leading: true });
    vote(1, 'down');
    expect(record()?.verdict).toBe('suspect');
    vote(2, 'down');
    await becomes('down');
  });

  it('end with the process that they are about', async () => {
    vote(1, 'down');
    vote(2, 'down');
    await becomes('down');
    await register('shard', 'shard-1', 'second');
    await becomes('alive');
    expect(record()).toMatchObject({ instance: 'second', votes: [] });
    vote(3, 'down');
    vote(1, 'down');
    expect(record()?.verdict).toBe('alive');
    vote(1, 'suspect', SHARD, 'second');
    vote(2, 'suspect', SHARD, 'second');
    await becomes('suspect');
  });

  it('are of shards while they are registered, and of others while their lease lasts', async () => {
    await register('gateway', 'gateway-1');
    for (const number of [1, 2]) vote(number, 'down', 'gateway/gateway-1');
    await becomes('down', 'gateway/gateway-1');
    await remove(memberKey('gateway', 'gateway-1'));
    await becomes(undefined, 'gateway/gateway-1');
    for (const number of [1, 2]) vote(number, 'down', 'gateway/gateway-1');
    expect(record('gateway/gateway-1')).toBeUndefined();
    await remove(memberKey('shard', 'shard-1'));
    for (const number of [1, 2]) vote(number, 'down');
    await becomes('down');
    await remove(shardKey('shard-1'));
    await becomes(undefined);
  });

  it.each(['unavailable', 'outcomeUnknown'] as const)(
    'are written again when that failed: %s',
    async (failure) => {
      group.failures.push(failure);
      vote(1, 'suspect');
      vote(2, 'suspect');
      await until('the failure', () => group.failures.length === 0, WAIT);
      vote(3, 'suspect');
      await until('another vote to be enough', () => (vote(1, 'suspect'), record() !== undefined), WAIT);
    },
  );

  it('are written by nobody else', () => {
    for (const other of ['shard', 'gateway', 'operator', 'coordinator', 'failure-detector'] as const) {
      expect(mayWrite({ service: other, member: 'shard-1' }, { key: verdictKey('shard', 'shard-1') })).toBe(
        false,
      );
    }
  });
});
