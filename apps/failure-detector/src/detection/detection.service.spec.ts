import { beforeEach, describe, expect, it } from '@jest/globals';
import { loadConfig } from '@ringleader/config';
import type { Heartbeat, Service, Verdict } from '@ringleader/contracts';
import type { MemberState } from '@ringleader/failure-detection';
import { Registry } from '@ringleader/observability';
import { failureDetectorConfigSchema } from '../failure-detector.config.js';
import { DetectorMetrics } from './detector-metrics.js';
import { DetectionService, parseMemberName } from './detection.service.js';

const SELF = {
  cluster: 'test',
  service: 'failure-detector',
  address: '',
  id: 'failure-detector-1',
  instance: 'own',
  startedAt: '2026-01-01T00:00:00Z',
} as const;
const LOAD = { cpuCores: 0, memoryBytes: 0, eventLoopLagMs: 0, inFlight: 0, requestsPerSecond: 0 };
const TICK_MS = 100;

describe('DetectionService', () => {
  let now: number;
  let sequence: number;
  let detection: DetectionService;

  beforeEach(() => {
    now = 1_000;
    sequence = 0;
    const config = loadConfig(failureDetectorConfigSchema, { RINGLEADER_MEMBER: SELF.id });
    const clock = { monotonicMs: () => now, wallMs: () => now };
    detection = new DetectionService(config, SELF, clock, new DetectorMetrics(new Registry()));
  });

  const heartbeat = (service: Service, id: string, instance = id): Heartbeat => {
    sequence += 1;
    return { service, id, instance, sequence, ready: true, load: LOAD };
  };
  const hearSelf = (): void => detection.hear(heartbeat('failure-detector', SELF.id, SELF.instance));
  const stateOf = (member: string): MemberState | undefined =>
    detection.assess()?.assessments.find((one) => one.member === member)?.state;

  /** Lets time pass with what comes every 250 ms, ticking. */
  function pass(ms: number, beats: () => void): void {
    for (let elapsed = 0; elapsed < ms; elapsed += TICK_MS / 2) {
      now += TICK_MS / 2;
      if (elapsed % 250 === 0) beats();
      if (elapsed % TICK_MS === 0) detection.assess();
    }
  }

  const report = (detector: string, id: string, verdict: Verdict) => ({
    ...{ detector, instance: detector, sequence: 1 },
    members: [{ service: 'shard' as const, id, verdict, phi: 9, lastHeartbeatAgeMs: 1 }],
  });

  it('judges nobody before it has heard itself', () => {
    detection.hear(heartbeat('shard', 'shard-1'));
    expect(detection.isHearing).toBe(false);
    expect(detection.assess()).toBeNull();
    hearSelf();
    expect(stateOf('shard/shard-1')).toBe('alive');
  });

  it('never judges itself', () => {
    detection.list(new Set(['failure-detector/failure-detector-1', 'shard/shard-1']));
    hearSelf();
    expect(detection.assess()?.assessments.map(({ member }) => member)).toEqual(['shard/shard-1']);
  });

  it('suspects who is silent while others are heard', () => {
    pass(5_000, () => {
      hearSelf();
      detection.hear(heartbeat('shard', 'shard-1'));
      detection.hear(heartbeat('shard', 'shard-2'));
    });
    pass(1_100, () => {
      hearSelf();
      detection.hear(heartbeat('shard', 'shard-2'));
    });
    expect(stateOf('shard/shard-1')).toBe('suspect');
    expect(stateOf('shard/shard-2')).toBe('alive');
  });

  it('blames nobody when NATS is silent altogether', () => {
    const all = (): void => {
      hearSelf();
      detection.hear(heartbeat('shard', 'shard-1'));
    };
    pass(5_000, all);
    pass(30_000, () => undefined);
    expect(detection.assess()).toBeNull();
    hearSelf();
    expect(stateOf('shard/shard-1')).toBe('alive');
    pass(5_000, all);
    expect(stateOf('shard/shard-1')).toBe('alive');
  });

  it('holds a suspect to be down sooner when the other detectors agree', () => {
    const timeToDown = (id: string, verdict: Verdict): number => {
      const start = now;
      while (stateOf(`shard/${id}`) !== 'down') {
        pass(50, () => {
          hearSelf();
          detection.hearReport(report('failure-detector-2', id, verdict));
          detection.hearReport(report('failure-detector-3', id, verdict));
          detection.hearReport(report(SELF.id, id, 'down'));
        });
      }
      return now - start;
    };
    hearSelf();
    detection.hear(heartbeat('shard', 'shard-1'));
    const agreed = timeToDown('shard-1', 'suspect');
    detection.hear(heartbeat('shard', 'shard-2'));
    const alone = timeToDown('shard-2', 'alive');
    expect(agreed).toBeLessThan(3_500);
    expect(alone).toBeGreaterThan(agreed + 2_000);
  });
});

describe('parseMemberName', () => {
  it('splits at the first slash, and knows the services', () => {
    expect(parseMemberName('shard/shard-1')).toEqual({ service: 'shard', id: 'shard-1' });
    expect(parseMemberName('oracle/oracle-1')).toBeNull();
  });
});
