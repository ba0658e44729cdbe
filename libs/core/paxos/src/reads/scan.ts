/**
 * Scans over several partitions of this shard. Each partition is read at one point of its own history, but for rows that
 * have expired, in whose place stands what their keys have now; there is no order between partitions.
 */
import type { Revision } from '@ringleader/primitives';
import type { Port } from '../parts.js';
import type { Leader } from '../partition/leader.js';
import type { Replica } from '../partition/replica.js';
import type { Row } from '../records.js';
import type { ScanRequest, ShardReply } from '../requests.js';
import type { StorageReadResult } from '../storage.js';
import type { Gate } from '../partition/waiters.js';
import { awaitCommit, type WritePort } from '../writes/decide.js';
import { isYoung, measurable, provenAt, type StalePort } from './stale.js';
import { withNewestRow, type RowPort } from './linearizable.js';

export type ScanPort = WritePort &
  StalePort &
  RowPort &
  Port<'stamp' | 'replicas' | 'transactions' | 'reads' | 'admission'>;

interface Part {
  readonly replica: Replica;
  /** Null for a stale scan. */
  readonly leader: Leader | null;
  readonly generation: number;
  /** Which history was about to be read, and up to where it was known to be chosen. */
  readonly history: number;
  readonly commitBefore: Revision;
  /** Own sending time that proves its age (4.5.3); null where none does, or none is needed. */
  readonly freshAt: number | null;
}

type ScanResult = Extract<StorageReadResult, { kind: 'scan' }>;

export function scan(context: ScanPort, request: ScanRequest): void {
  const linearizable = isProvenByLeaders(context, request);
  const parts: Part[] = [];
  const notLed: number[] = [];
  for (const partition of request.partitions) {
    const replica = context.replicas.get(partition);
    const part = replica === undefined ? null : partOf(context, replica, request, linearizable);
    if (part === null) notLed.push(partition);
    else parts.push(part);
  }
  if (notLed.length > 0) {
    refuse(context, request, notLed);
    return;
  }
  whenAllDurable(context, linearizable ? parts : [], () => {
    readParts(context, request, parts);
  });
}

/** A bounded age at those who lead: they prove their leadership, and the age is none (4.5.1). */
function isProvenByLeaders(context: ScanPort, { consistency, partitions }: ScanRequest): boolean {
  if (consistency.kind === 'linearizable') return true;
  const leads = (partition: number): boolean => context.replicas.get(partition)?.leader?.serving === true;
  return consistency.maxStalenessMs !== null && partitions.every(leads);
}

/** What this leader has sent out may be committed by others already: the scan must not miss it in its own storage. */
function whenAllDurable(context: ScanPort, parts: readonly Part[], done: () => void): void {
  let waiting = parts.length + 1;
  const oneDurable = (): void => {
    waiting -= 1;
    if (waiting === 0) done();
  };
  for (const { replica } of parts) context.transactions.whenDurable(replica, oneDurable);
  oneDurable();
}

function readParts(context: ScanPort, request: ScanRequest, parts: readonly Part[]): void {
  const { range, reverse, keysOnly, limitRows, limitBytes } = request;
  const partitions = parts.map(({ replica, generation }) => ({ partition: replica.partition, generation }));
  const read = { kind: 'scan', partitions, range, reverse, keysOnly, limitRows, limitBytes } as const;
  context.reads.scan(read, (result) => {
    if (isLed(parts)) answerAsLeaderOfAll(context, request, parts, result);
    else answerStale(context, request, parts, result);
  });
}

function isLed(parts: readonly Part[]): boolean {
  return parts.some(({ leader }) => leader !== null);
}

function partOf(
  context: ScanPort,
  replica: Replica,
  request: ScanRequest,
  linearizable: boolean,
): Part | null {
  const { generation } = replica.durable;
  const { history, commit: commitBefore } = replica;
  if (linearizable) {
    const { leader } = replica;
    return leader?.serving === true
      ? { replica, leader, generation, history, commitBefore, freshAt: null }
      : null;
  }
  const freshAt = provenAt(context, replica, replica.commitOfDurableRows);
  const known = replica.isMember && replica.durable.position.ballot > 0;
  const settled = context.rules.scanIsSettled(isQuiet(replica, commitBefore), true);
  return known && settled && isYoungEnough(context, request, freshAt)
    ? { replica, leader: null, generation, history, commitBefore, freshAt }
    : null;
}

/**
 * All that the storage holds, or is about to hold, of this partition is committed. What is gathered may replace what is
 * durable (a repair on its way), and the read may see either. What is gathered is looked at again when the read is done;
 * here it only saves a read that would be for nothing.
 */
function isQuiet(replica: Replica, commit: Revision): boolean {
  const { durable, record } = replica;
  return durable.position.revision <= replica.commitOfDurableRows && record.position.revision <= commit;
}

function isYoungEnough(context: ScanPort, { consistency }: ScanRequest, freshAt: number | null): boolean {
  if (consistency.kind !== 'stale') return true;
  return isYoung(context, freshAt, consistency.maxStalenessMs);
}

function refuse(context: ScanPort, request: ScanRequest, notLed: readonly number[]): void {
  const { token } = request;
  context.admission.answer(request, { kind: 'rows', token, rows: [], more: false, notLed });
}

/**
 * A row that is not committed, or hides one that is, must not be seen: only a partition answers that was quiet before the
 * read and has been since, in one history. The position alone does not tell: a repair in between moves it back.
 */
function answerStale(
  context: ScanPort,
  request: ScanRequest,
  parts: readonly Part[],
  result: ScanResult,
): void {
  const unsettled = parts.filter(
    ({ replica, generation, history, commitBefore, freshAt }) =>
      !context.rules.scanIsSettled(true, replica.history === history) ||
      replica.record.generation !== generation ||
      replica.record.position.revision > commitBefore ||
      !isYoungEnough(context, request, measurable(context, freshAt)),
  );
  if (unsettled.length > 0) {
    refuse(
      context,
      request,
      unsettled.map(({ replica }) => replica.partition),
    );
    return;
  }
  const { token } = request;
  const rows = result.rows.map(({ row }) => row);
  context.admission.answer(request, { kind: 'rows', token, rows, more: result.more, notLed: [] });
}

/**
 * What was read may hold, or lack, rows by writes in flight: answered when all that was handed to the storage until then
 * is committed, and each leadership is proven after that. Rows that have expired are met as tombstones (4.6.3).
 */
function answerAsLeaderOfAll(
  context: ScanPort,
  request: ScanRequest,
  parts: readonly Part[],
  result: ScanResult,
): void {
  const led: LedPart[] = [];
  const lost: number[] = [];
  for (const { replica, leader } of parts) {
    if (leader !== null && replica.role === leader) led.push({ replica, leader });
    else lost.push(replica.partition);
  }
  if (lost.length > 0 || led.length === 0) {
    refuse(context, request, lost);
    return;
  }
  replaceExpired(context, request, { led, result }, (rows) => {
    prove(context, request, led, { rows, more: result.more });
  });
}

interface LedPart {
  readonly replica: Replica;
  readonly leader: Leader;
}

function prove(
  context: ScanPort,
  request: ScanRequest,
  led: readonly LedPart[],
  { rows, more }: { rows: readonly Row[]; more: boolean },
): void {
  const reply: ShardReply = { kind: 'rows', token: request.token, rows, more, notLed: [] };
  const gate: Gate = { waiting: led.length, answered: false };
  const needsLeadership = context.rules.scanAwaitsLease();
  for (const { replica, leader } of led) {
    // Tombstones that were just written have no row in the answer, but a revision.
    const revision = leader.lastRevision;
    awaitCommit(context, replica, leader, { request, revision, reply, needsLeadership, gate });
  }
}

function replaceExpired(
  context: ScanPort,
  request: ScanRequest,
  { led, result }: { led: readonly LedPart[]; result: ScanResult },
  done: (rows: readonly Row[]) => void,
): void {
  const now = context.stamp();
  const rows: (Row | null)[] = result.rows.map(({ row }) => row);
  let checking = 1;
  let abandoned = false;
  const checked = (): void => {
    checking -= 1;
    if (checking === 0 && !abandoned) done(rows.filter((row) => row !== null));
  };
  result.rows.forEach(({ partition, row }, index) => {
    if (row.expiresAt === null || row.expiresAt > now) return;
    const part = led.find(({ replica }) => replica.partition === partition);
    if (part === undefined) return;
    checking += 1;
    withNewestRow(context, part.replica, part.leader, {
      kind: 'expiry',
      key: row.key,
      checked: (newest) => {
        rows[index] = newest;
        checked();
      },
      abandoned: () => {
        if (abandoned) return;
        abandoned = true;
        refuse(context, request, [partition]);
      },
    });
  });
  checked();
}
