import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Heartbeat, Speaker, Verdict, VerdictReport } from '@ringleader/contracts';
import { Telemetry } from './telemetry.js';

const load = { cpuCores: 0.5, memoryBytes: 1, eventLoopLagMs: 0, inFlight: 2, requestsPerSecond: 3 };
const heartbeat: Heartbeat = {
  ...{ service: 'shard', id: 'shard-1', instance: 'i', sequence: 1 },
  ready: true,
  load,
};
const report = (detector: string, verdict: Verdict, phi: number): VerdictReport => ({
  detector,
  instance: 'i',
  sequence: 1,
  members: [{ service: 'shard', id: 'shard-1', verdict, phi, lastHeartbeatAgeMs: 10 }],
});

const SHARD = { service: 'shard', member: 'shard-1' } as const;
const detector = (member: string): Speaker => ({ service: 'failure-detector', member });

let telemetry: Telemetry;
beforeEach(() => {
  telemetry = new Telemetry();
});

describe('Telemetry', () => {
  it('keeps the load of a heartbeat while it is fresh', () => {
    expect(telemetry.heartbeat(SHARD, heartbeat, 0)).toBe(true);
    expect(telemetry.load('shard', 'shard-1', 3_000)).toEqual(load);
    expect(telemetry.load('shard', 'shard-1', 3_001)).toBeNull();
    expect(telemetry.load('gateway', 'shard-1', 0)).toBeNull();
  });

  it('takes the median of phi, and forgets detectors that fell silent', () => {
    telemetry.verdictReport(detector('a'), report('a', 'alive', 9), 0);
    telemetry.verdictReport(detector('b'), report('b', 'alive', 1), 1_000);
    telemetry.verdictReport(detector('c'), report('c', 'alive', 2), 1_000);
    expect(telemetry.phi('shard', 'shard-1', 1_000)).toBe(2);
    expect(telemetry.phi('shard', 'shard-1', 3_500)).toBe(1);
    expect([telemetry.detectors(1_000), telemetry.detectors(3_500), telemetry.detectors(9_000)]).toEqual([
      3, 2, 0,
    ]);
    expect(telemetry.phi('shard', 'shard-2', 1_000)).toBeNull();
  });

  it('takes nothing from who speaks for another', () => {
    expect(telemetry.heartbeat({ service: 'shard', member: 'shard-2' }, heartbeat, 0)).toBe(false);
    expect(telemetry.heartbeat({ service: 'gateway', member: 'shard-1' }, heartbeat, 0)).toBe(false);
    expect(telemetry.verdictReport(detector('b'), report('a', 'down', 9), 0)).toBe(false);
    expect(telemetry.load('shard', 'shard-1', 0)).toBeNull();
    expect(telemetry.detectors(0)).toBe(0);
  });

  it('takes nothing that does not fit', () => {
    for (const nonsense of [null, 5, {}, { ...heartbeat, load: null }, { ...heartbeat, service: 'cat' }]) {
      expect([
        telemetry.heartbeat(SHARD, nonsense, 0),
        telemetry.verdictReport(detector('d'), nonsense, 0),
      ]).toEqual([false, false]);
    }
  });
});
