/**
 * No lease ends before the time that its holder was promised: by a grant or a renewal that was acknowledged, from when it was
 * asked for, by a clock that is as fast as clocks may be. Renewed is only what exists. (That none lives on for ever is for
 * `recovery.ts`.)
 */
import type { LeaseId } from '@ringleader/mvcc';
import { SimulationFailure } from '@ringleader/testing-simulation';
import type { AppliedLog } from '../applied-log.js';
import type { RecordedOperation } from '../clients.js';
import { clockDriftMax } from '../settings.js';

/** As it was, by what members did, not by what they should have. An id may be given again: which one was meant is not said. */
interface LeaseLife {
  readonly ttlMs: number;
  readonly grantedAtMs: number;
  endedAtMs: number;
  /** Whether its time was over, by what its leader said. */
  hasRunOut: boolean;
}

interface Promised {
  readonly lease: LeaseId;
  readonly ttlMs: number;
  readonly askedAtMs: number;
  readonly returnedAtMs: number;
}

export function checkLeases(log: AppliedLog, operations: readonly RecordedOperation[]): void {
  const lives = livesOf(log);
  for (const { lease, ttlMs, askedAtMs, returnedAtMs } of operations.flatMap(promisesOf)) {
    const isMeant = (life: LeaseLife): boolean =>
      life.ttlMs === ttlMs && life.grantedAtMs <= returnedAtMs && life.endedAtMs >= askedAtMs;
    const meant = lives.get(lease)?.filter(isMeant) ?? [];
    const isKept = ({ hasRunOut, endedAtMs }: LeaseLife): boolean =>
      !hasRunOut || endedAtMs >= askedAtMs + ttlMs / (1 + clockDriftMax);
    if (meant.some(isKept)) continue;
    const ends = meant.map(({ endedAtMs }) => endedAtMs.toFixed(1)).join(' and ');
    const what = meant.length === 0 ? 'is not there then' : `has run out at ${ends}`;
    throw new SimulationFailure(
      'leases',
      `lease ${String(lease)} of ${String(ttlMs)} ms, asked for at ${askedAtMs.toFixed(1)}, ${what}`,
    );
  }
}

function livesOf(log: AppliedLog): ReadonlyMap<LeaseId, readonly LeaseLife[]> {
  const lives = new Map<LeaseId, LeaseLife[]>();
  for (const { at, operation, result } of log.results()) {
    if (operation.op === 'append') continue;
    const { command } = operation;
    if (command.kind === 'leaseGrant' && result.kind === 'leaseGranted') {
      const life = { ttlMs: command.ttlMs, grantedAtMs: at, endedAtMs: Infinity, hasRunOut: false };
      lives.set(result.lease, [...(lives.get(result.lease) ?? []), life]);
    }
    if (result.kind !== 'leasesEnded') continue;
    for (const lease of result.leases) {
      const life = lives.get(lease)?.at(-1);
      if (life === undefined)
        throw new SimulationFailure('leases', `lease ${String(lease)} ends, and never was`);
      life.endedAtMs = at;
      life.hasRunOut = command.kind === 'leaseExpire';
    }
  }
  return lives;
}

function promisesOf({ operation, answer, invokedAt, returnedAt }: RecordedOperation): Promised[] {
  const times = { askedAtMs: invokedAt, returnedAtMs: returnedAt };
  if (operation.op === 'keepAlive' && answer?.kind === 'kept' && answer.ttlMs !== null)
    return [{ ...times, lease: operation.lease, ttlMs: answer.ttlMs }];
  if (operation.op !== 'command' || operation.command.kind !== 'leaseGrant') return [];
  if (answer?.kind !== 'result' || answer.result.kind !== 'leaseGranted') return [];
  return [{ ...times, lease: answer.result.lease, ttlMs: operation.command.ttlMs }];
}
