/** The map as it reaches the core: from the coordinator only, durably, never a lower epoch (docs/PROTOCOL.md 6.5). */
import type { Port } from '../parts.js';
import { watchLeader, type WatchPort } from '../leadership/watch.js';
import { stand, type StandPort } from './stand.js';
import { stepDown, type StepDownPort } from '../leadership/step-down.js';
import type { PartitionAssignment } from '../ready.js';
import type { PartitionRecord } from '../records.js';
import { isMember } from '../rules/quorum.js';
import { dropUnusedGenerations } from '../accept/acceptor.js';
import type { InstallPort } from '../catch-up/install.js';
import { KeyedRequests, keyedWindowMs } from '../partition/keyed-requests.js';
import { lifeOf } from '../partition/generations.js';
import { Replica } from '../partition/replica.js';

export type AssignmentPort = WatchPort &
  StandPort &
  StepDownPort &
  InstallPort &
  Port<
    | 'ordinal'
    | 'rules'
    | 'replicas'
    | 'transactions'
    | 'grants'
    | 'nextGeneration'
    | 'keyedShare'
    | 'recentShare'
    | 'tombstoneShare'
    | 'keysShare'
    | 'incarnation'
    | 'purges'
  >;

export function learnAssignment(context: AssignmentPort, assignment: PartitionAssignment): void {
  const replica = context.replicas.get(assignment.partition);
  if (replica === undefined) {
    if (isMember(assignment, context.ordinal)) create(context, assignment);
    return;
  }
  const { epoch } = replica.record;
  if (assignment.epoch < epoch) return;
  if (assignment.epoch > epoch) {
    learnEpoch(context, replica, assignment);
  } else if (replica.assignment === null) {
    replica.assign(assignment);
    watchLeader(context, replica);
  }
}

export function newReplica(
  context: Port<
    | 'ordinal'
    | 'rules'
    | 'timings'
    | 'keyedShare'
    | 'recentShare'
    | 'tombstoneShare'
    | 'keysShare'
    | 'purges'
    | 'incarnation'
  >,
  record: PartitionRecord,
): Replica {
  const { ordinal, incarnation, rules, keyedShare, recentShare, tombstoneShare, keysShare, purges } = context;
  const keyed = new KeyedRequests(rules, keyedWindowMs(context), keyedShare);
  const isOfThisLife = (generation: number): boolean => rules.knowsAllKeys(lifeOf(generation), incarnation);
  const shares = { recentShare, tombstoneShare, keysShare };
  return new Replica(record, ordinal, { keyed, ...shares, isOfThisLife, purging: purges.waiting });
}

function create(context: AssignmentPort, assignment: PartitionAssignment): void {
  const { partition, epoch } = assignment;
  const record: PartitionRecord = {
    partition,
    epoch,
    promised: 0,
    position: { ballot: 0, revision: 0 },
    commitBound: 0,
    purgedTo: 0,
    dedupeFloor: 0,
    generation: context.nextGeneration(),
    staging: null,
  };
  const replica = newReplica(context, record);
  context.replicas.set(partition, replica);
  context.transactions.setRecord(replica, record);
  replica.assign(assignment);
  watchLeader(context, replica);
}

function learnEpoch(context: AssignmentPort, replica: Replica, assignment: PartitionAssignment): void {
  const { rules, transactions } = context;
  const { leader } = replica;
  const keeps = leader !== null && rules.keepsBallotInNewEpoch();
  if (!keeps) stepDown(context, replica, 'epoch');
  replica.catchUp = null;
  if (rules.grantsEndWithEpoch()) context.grants.endAll();
  const isOther = isOfOtherHistory(context, replica, assignment);
  transactions.setRecord(replica, { ...replica.record, epoch: assignment.epoch });
  replica.assign(assignment);
  if (!replica.isMember || isOther) empty(context, replica);
  if (!replica.isMember) return;
  if (keeps) return;
  // The former leader prepares at once: its peers' grants do not stand against it.
  if (leader !== null && rules.votes(assignment, context.ordinal)) stand(context, replica);
  else watchLeader(context, replica);
}

/** 6.8: what is committed to it need not be so in what the partition went on with. */
function isOfOtherHistory(
  { rules, ordinal }: AssignmentPort,
  { record }: Replica,
  { recovery }: PartitionAssignment,
): boolean {
  return recovery !== undefined && recovery.epoch > record.epoch && !rules.keepsThrough(recovery, ordinal);
}

/** 6.6: the rows go, promise and epoch stay for ever. */
function empty(context: AssignmentPort, replica: Replica): void {
  const { record } = replica;
  const generation = context.nextGeneration();
  context.transactions.setRecord(replica, {
    partition: record.partition,
    ...context.rules.recordOfRemoved({ promised: record.promised, epoch: record.epoch }),
    position: { ballot: 0, revision: 0 },
    commitBound: 0,
    purgedTo: 0,
    dedupeFloor: 0,
    generation,
    staging: null,
  });
  replica.forgetEverything();
  dropUnusedGenerations(context, replica, [record.generation, record.staging?.generation]);
}
