import { type Ballot, type PartitionIndex, unreachable, type ShardOrdinal } from '@ringleader/primitives';
import { onAccepted, onGap, type AcknowledgementPort } from './accept/acknowledgements.js';
import { isOfThisEpoch, type AcceptorPort } from './accept/acceptor.js';
import { onAccepts, onAcceptsSeen, type AcceptsPort, type AcceptsSeenPort } from './accept/accepts.js';
import { onCommitPoints, type CommitPointsPort } from './accept/commit-points.js';
import type { Port } from './parts.js';
import { onCopyRequired, onFinish, onPage, type CopyPort } from './catch-up/copy-receiver.js';
import { onFinishRequest, onPageRequest, type CopySourcePort } from './catch-up/copy-source.js';
import { onPrepareRefused, onPromised, type AdoptPort } from './election/adopt.js';
import { onPrepare, type PromisePort } from './election/promise.js';
import {
  onReleased,
  onReleaseSeen,
  onStand,
  onSuperseded,
  type SuccessionPort,
} from './election/succession.js';
import { onConfirm, onConfirmed } from './accept/confirm.js';
import { onHeartbeat, onHeartbeatSeen, type HeartbeatPort } from './pair/heartbeats.js';
import type {
  Accepts,
  AcceptsSeen,
  CommitPoints,
  Heartbeat,
  HeartbeatSeen,
  Released,
  ReleaseSeen,
  ShardMessage,
} from './messages.js';
import type { Replica } from './partition/replica.js';
import { isBallotInReach, isFloorInReach, isPlausible, type PlausibilityPort } from './plausible.js';
import { onMendAnswer, onVerified, type LeaderSidePort } from './verify/leader-side.js';
import { onQuestion, type ReplicaSidePort } from './verify/replica-side.js';
import { onDelta, onRepairOffer, type RepairPort } from './catch-up/repair-receiver.js';
import { onDeltaRequest, type SourcePort } from './catch-up/repair-source.js';
import { onRemembered } from './partition/recollections.js';

/** Messages reach every part but the requests. */
export type DispatchPort = AcknowledgementPort &
  AcceptorPort &
  AcceptsPort &
  AcceptsSeenPort &
  CommitPointsPort &
  CopyPort &
  CopySourcePort &
  AdoptPort &
  PromisePort &
  SuccessionPort &
  HeartbeatPort &
  RepairPort &
  SourcePort &
  PlausibilityPort &
  LeaderSidePort &
  ReplicaSidePort &
  Port<'now' | 'replicas' | 'peers'>;

type PairMessage = Heartbeat | HeartbeatSeen | CommitPoints | Accepts | AcceptsSeen | ReleaseSeen;
type EpochMessage = Exclude<ShardMessage, PairMessage | Released>;

export function dispatch(context: DispatchPort, from: ShardOrdinal, message: ShardMessage): void {
  if (!isPlausible(context, from, message)) return;
  context.peers.hear(from, context.now);
  if (isOfPair(message)) dispatchToPair(context, from, message);
  else dispatchToPartition(context, from, message);
}

function isOfPair(message: ShardMessage): message is PairMessage {
  return !('partition' in message) || message.kind === 'releaseSeen';
}

function dispatchToPair(context: DispatchPort, from: ShardOrdinal, message: PairMessage): void {
  switch (message.kind) {
    case 'accepts':
      return onAccepts(context, from, message);
    case 'acceptsSeen':
      return onAcceptsSeen(context, from, message);
    case 'heartbeat':
      return onHeartbeat(context, from, message);
    case 'heartbeatSeen':
      return onHeartbeatSeen(context, from, message);
    case 'commitPoints':
      return onCommitPoints(context, from, message);
    case 'releaseSeen':
      return onReleaseSeen(context, from, message);
    default:
      return unreachable(message, 'pair message');
  }
}

function dispatchToPartition(
  context: DispatchPort,
  from: ShardOrdinal,
  message: EpochMessage | Released,
): void {
  const replica = context.replicas.get(message.partition);
  if (replica === undefined) return;
  if (message.kind === 'released') return onReleased(context, replica, from, message);
  if (!isOfThisEpoch(context, replica, message)) {
    if (message.kind === 'prepare' && message.epoch > replica.record.epoch) {
      replica.earlyPrepare = { from, message };
    }
    return;
  }
  if (!isBallotInReach(context, replica, from, ballotIn(message))) return;
  if ('dedupeFloor' in message && !isFloorInReach(context, replica, from, message.dedupeFloor)) return;
  dispatchToReplica(context, replica, from, message);
}

/**
 * The map has come: who stood in an epoch before it was known here is answered now, as if its message had taken that long,
 * and not only when it asks again.
 */
export function answerEarly(context: DispatchPort, { partition }: { partition: PartitionIndex }): void {
  const replica = context.replicas.get(partition);
  const early = replica?.earlyPrepare ?? null;
  if (replica === undefined || early === null || early.message.epoch > replica.record.epoch) return;
  replica.earlyPrepare = null;
  dispatchToPartition(context, early.from, early.message);
}

/** The highest that the message would make the replica know. */
function ballotIn(message: EpochMessage): Ballot {
  return 'promised' in message ? Math.max(message.ballot, message.promised) : message.ballot;
}

function dispatchToReplica(
  context: DispatchPort,
  replica: Replica,
  from: ShardOrdinal,
  message: EpochMessage,
): void {
  switch (message.kind) {
    case 'accepted':
      return onAccepted(context, replica, from, message);
    case 'gap':
      return onGap(context, replica, from, message);
    case 'confirm':
      return onConfirm(context, replica, from, message);
    case 'confirmed':
      return onConfirmed(context, replica, from, message);
    case 'prepare':
      return onPrepare(context, replica, from, message);
    case 'promised':
      return onPromised(context, replica, from, message);
    case 'prepareRefused':
      return onPrepareRefused(context, replica, message);
    case 'superseded':
      return onSuperseded(context, replica, message);
    case 'stand':
      return onStand(context, replica, from, message);
    case 'verify':
    case 'rowWanted':
    case 'mend':
      return onQuestion(context, replica, from, message);
    case 'verified':
      return onVerified(context, from, message);
    case 'rowTold':
    case 'mended':
      return onMendAnswer(context, from, message);
    default:
      return dispatchCatchUp(context, replica, from, message);
  }
}

type CatchUpKind =
  | 'repairOffer'
  | 'deltaRequest'
  | 'delta'
  | 'copyRequired'
  | 'pageRequest'
  | 'page'
  | 'finishRequest'
  | 'finish'
  | 'remembered';

function dispatchCatchUp(
  context: DispatchPort,
  replica: Replica,
  from: ShardOrdinal,
  message: Extract<ShardMessage, { kind: CatchUpKind }>,
): void {
  switch (message.kind) {
    case 'repairOffer':
      return onRepairOffer(context, replica, from, message);
    case 'deltaRequest':
      return onDeltaRequest(context, replica, from, message);
    case 'delta':
      return onDelta(context, replica, from, message);
    case 'copyRequired':
      return onCopyRequired(context, replica, from, message);
    case 'pageRequest':
      return onPageRequest(context, replica, from, message);
    case 'page':
      return onPage(context, replica, from, message);
    case 'finishRequest':
      return onFinishRequest(context, replica, from, message);
    case 'finish':
      return onFinish(context, replica, from, message);
    case 'remembered':
      return onRemembered(context, replica, message);
    default:
      return unreachable(message, 'shard message');
  }
}
