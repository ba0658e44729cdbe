import { unreachable, type ShardOrdinal } from '@ringleader/primitives';
import { onAccepted, onGap } from './accept/acknowledgements.js';
import { onAccept, onCommitPoint } from './accept/acceptor.js';
import type { ShardParts } from './parts.js';
import { onCopyRequired, onFinish, onPage } from './copy/receiver.js';
import { onFinishRequest, onPageRequest } from './copy/source.js';
import { onPrepareRefused, onPromised } from './election/adopt.js';
import { onPrepare } from './election/promise.js';
import { onReleased, onReleaseSeen, onStand, onSuperseded } from './election/succession.js';
import { onConfirm, onConfirmed } from './accept/confirm.js';
import { onHeartbeat, onHeartbeatSeen } from './pair/heartbeats.js';
import type { Heartbeat, HeartbeatSeen, Released, ReleaseSeen, ShardMessage } from './messages.js';
import type { Replica } from './partition/replica.js';
import { onDelta, onRepairOffer } from './repair/receiver.js';
import { onDeltaRequest } from './repair/source.js';

type EpochMessage = Exclude<ShardMessage, Heartbeat | HeartbeatSeen | Released | ReleaseSeen>;

export function dispatch(context: ShardParts, from: ShardOrdinal, message: ShardMessage): void {
  context.peers.hear(from, context.now);
  if (message.kind === 'heartbeat') return onHeartbeat(context, from, message);
  if (message.kind === 'heartbeatSeen') return onHeartbeatSeen(context, from, message);
  if (message.kind === 'releaseSeen') return onReleaseSeen(context, from, message);
  const replica = context.replicas.get(message.partition);
  if (replica === undefined) return;
  if (message.kind === 'released') return onReleased(context, replica, from, message);
  if (!ofThisEpoch(context, replica, message)) return;
  dispatchToReplica(context, replica, from, message);
}

/** 4.0: refused in both directions; a higher epoch makes this shard look at the map, never take it from a peer. */
function ofThisEpoch(context: ShardParts, replica: Replica, message: EpochMessage): boolean {
  const { epoch } = replica.record;
  if (message.epoch > Math.max(epoch, replica.epochSeen)) {
    replica.epochSeen = message.epoch;
    context.outbox.event({ kind: 'mapBehind', partition: replica.partition, seenEpoch: message.epoch });
  }
  return replica.assignment !== null && context.rules.sameEpoch(epoch, message.epoch);
}

function dispatchToReplica(
  context: ShardParts,
  replica: Replica,
  from: ShardOrdinal,
  message: EpochMessage,
): void {
  switch (message.kind) {
    case 'accept':
      return onAccept(context, replica, from, message);
    case 'accepted':
      return onAccepted(context, replica, from, message);
    case 'commitPoint':
      return onCommitPoint(context, replica, from, message);
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
  | 'finish';

function dispatchCatchUp(
  context: ShardParts,
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
    default:
      return unreachable(message, 'shard message');
  }
}
