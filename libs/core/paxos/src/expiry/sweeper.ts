/**
 * Expired rows that nobody asks for go, too: a leader looks through the rows of a partition, page after page, when one may
 * have expired, and meets those that have as anybody would (docs/PROTOCOL.md 4.6.8). One partition at a time, at a pace.
 */
import { hasRoom } from '../accept/commit.js';
import type { Port } from '../parts.js';
import { withNewestRow, type RowPort } from '../reads/linearizable.js';
import type { SweepPace } from '../ready.js';
import type { Expired, Pass } from './sweeps.js';

/** How often it is looked whether a partition is due, while none is at hand. */
const LOOK_MS = 1_000;
const MS_PER_SECOND = 1_000;
const ROWS_PER_PAGE = 512;
/** What reading a page costs, whatever is on it, in rows. */
const PAGE_COST = 16;
/** Tombstones of all partitions together, and more only where as many rows that expire were written meanwhile. */
const PER_BEAT = 256;

export type SweeperPort = RowPort & Port<'led' | 'outbox' | 'stamp' | 'sweeps' | 'transactions'>;

export function sweepAtBeat(context: SweeperPort): void {
  const { sweeps, now } = context;
  const { pace } = sweeps;
  if (pace === null) return;
  const earned = ((now - sweeps.creditedAt) * pace.rowsPerSecond) / MS_PER_SECOND;
  sweeps.rows = Math.min(sweeps.rows + earned, pace.rowsPerSecond);
  sweeps.creditedAt = now;
  const { expiringTaken } = context.transactions;
  const room = Math.max(PER_BEAT, expiringTaken - sweeps.expiringBefore);
  sweeps.expiringBefore = expiringTaken;
  const pass = sweeps.current ?? begin(context, pace);
  if (pass === null) return;
  if (isLed(pass)) sweep(context, pass, room);
  else abandon(context, pass);
}

function begin(context: SweeperPort, { intervalMs }: SweepPace): Pass | null {
  const { sweeps, now, led } = context;
  if (now < sweeps.nextLookAt) return null;
  const at = context.stamp();
  for (const replica of led) {
    const { leader } = replica;
    if (leader?.barrierCommitted !== true || leader.handover !== null) continue;
    if (!replica.expiries.isDue(at, now)) continue;
    replica.expiries.beginPass();
    sweeps.current = { replica, leader, next: '', isReading: false, expired: [], met: 0 };
    return sweeps.current;
  }
  sweeps.nextLookAt = now + Math.min(LOOK_MS, intervalMs);
  return null;
}

const isLed = ({ replica, leader }: Pass): boolean => replica.role === leader;

/** Whoever leads next looks at what it has not seen: this shard, too, should it be that. */
function abandon(context: SweeperPort, pass: Pass): void {
  pass.replica.expiries.forget();
  finish(context, pass);
}

function finish({ sweeps, outbox }: SweeperPort, { replica: { partition }, met }: Pass): void {
  sweeps.current = null;
  if (met > 0) outbox.event({ kind: 'swept', partition, rows: met });
}

/** Those that were found have tombstones decided; then the next page is read. */
function sweep(context: SweeperPort, pass: Pass, room: number): void {
  const { replica, leader, expired } = pass;
  for (let left = room; left > 0 && expired.length > 0; left -= 1) {
    // No handover waits for it, and it takes no room from users.
    if (leader.handover !== null || !hasRoom(context, replica, leader)) return;
    pass.met += 1;
    meet(context, pass, expired.pop()!);
  }
  if (expired.length === 0) lookOn(context, pass);
}

function meet(context: SweeperPort, { replica, leader }: Pass, { key, expiresAt }: Expired): void {
  withNewestRow(context, replica, leader, {
    kind: 'expiry',
    key,
    expiresAt,
    wantsValue: false,
    checked: () => undefined,
    // The row is met again: its expiry was noted when it was found.
    abandoned: () => undefined,
  });
}

function lookOn(context: SweeperPort, pass: Pass): void {
  const { sweeps } = context;
  if (pass.isReading || sweeps.rows < 0) return;
  if (pass.next === null) {
    end(context, pass);
    return;
  }
  pass.isReading = true;
  // What is gathered is in no page yet; what comes later is noted.
  context.transactions.whenDurable(pass.replica, () => {
    readPage(context, pass, pass.next ?? '');
  });
}

function end(context: SweeperPort, pass: Pass): void {
  pass.replica.expiries.endPass(context.now + (context.sweeps.pace?.intervalMs ?? 0));
  finish(context, pass);
}

function readPage(context: SweeperPort, pass: Pass, start: string): void {
  const { sweeps, reads } = context;
  const { partition, record, expiries } = pass.replica;
  const read = { kind: 'expiries', partition, generation: record.generation, start } as const;
  reads.expiries({ ...read, limitRows: ROWS_PER_PAGE }, ({ rows, nextKey }) => {
    pass.isReading = false;
    pass.next = nextKey;
    sweeps.rows -= PAGE_COST + (nextKey === null ? rows.length : ROWS_PER_PAGE);
    const at = context.stamp();
    for (const row of rows) {
      expiries.note(row);
      if (row.expiresAt <= at) pass.expired.push(row);
    }
    if (pass.expired.length === 0 && isLed(pass)) lookOn(context, pass);
  });
}
