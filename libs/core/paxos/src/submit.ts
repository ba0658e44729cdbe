import type { Port } from './parts.js';
import { notLeader } from './leadership/step-down.js';
import type { Leader } from './partition/leader.js';
import { hasLease, type LeasePort } from './leadership/lease.js';
import type { Replica } from './partition/replica.js';
import { scan, type ScanPort } from './reads/scan.js';
import { readStale, type StalePort } from './reads/stale.js';
import { withNewestRow, type RowPort } from './reads/linearizable.js';
import type { ReadRequest, ScanRequest, ShardReply, ShardRequest, WriteRequest } from './requests.js';

export type SubmitPort = LeasePort &
  ScanPort &
  StalePort &
  RowPort &
  Port<'now' | 'rules' | 'replicas' | 'outbox' | 'admission'>;

export function submit(context: SubmitPort, request: ShardRequest): void {
  const { token } = request;
  if (context.now > request.deadline || !context.admission.admit(request)) {
    context.outbox.reply({ kind: 'overloaded', token });
    return;
  }
  if (request.kind === 'scan') {
    scan(context, request);
    return;
  }
  const replica = context.replicas.get(request.partition);
  if (replica === undefined) {
    context.admission.answer(request, unknownPartition(request));
    return;
  }
  if (request.kind === 'write') submitWrite(context, replica, request);
  else submitRead(context, replica, request);
}

function unknownPartition(request: Exclude<ShardRequest, ScanRequest>): ShardReply {
  const { token } = request;
  return { kind: 'notLeader', token, ballot: 0, leader: 0, epoch: 0 };
}

/** 4.7.2: run only by the ballot that it names. While the partition is handed over nothing new begins. */
function submitWrite(context: SubmitPort, replica: Replica, request: WriteRequest): void {
  const { leader } = replica;
  if (
    leader === null ||
    !leader.serving ||
    leader.handover !== null ||
    !context.rules.leaderRuns(leader.ballot, request.ballot)
  ) {
    context.admission.answer(request, notLeader(replica, request));
    return;
  }
  withNewestRow(context, replica, leader, request);
}

function submitRead(context: SubmitPort, replica: Replica, request: ReadRequest): void {
  const { leader } = replica;
  const { consistency } = request;
  const leads = leader !== null && leader.serving;
  // A bounded age at its leader: that proves its leadership, and the age is none.
  const byLeader =
    leads &&
    (consistency.kind === 'linearizable' ||
      consistency.maxStalenessMs !== null ||
      isAtHand(context, replica, leader, request));
  if (consistency.kind === 'stale' && !byLeader) {
    readStale(context, replica, request, consistency.maxStalenessMs);
    return;
  }
  if (leads) withNewestRow(context, replica, leader, request);
  else context.admission.answer(request, notLeader(replica, request));
}

/** A stale read at the leader is as cheap as a linearizable one when row and lease are at hand. */
function isAtHand(context: SubmitPort, replica: Replica, leader: Leader, { key }: ReadRequest): boolean {
  const entry = leader.rows.get(key);
  if (entry === undefined || (entry.row?.revision ?? 0) > replica.commit) return false;
  return leader.barrierCommitted && hasLease(context, replica, leader);
}
