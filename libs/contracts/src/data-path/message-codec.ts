/** The fields that many peer messages share; the groups of kinds are in the files beside this one. */
import { fields, float64, varint, type VariantTable } from '@ringleader/primitives';
import type { LeaseEcho, LeaseStamp, ShardMessage } from '@ringleader/paxos';
import { positionCodec } from './rows.js';

export type MessageTable<K extends ShardMessage['kind']> = VariantTable<ShardMessage, K>;

export const header = { partition: varint, epoch: varint, ballot: varint };
export const replicaState = { position: positionCodec, commit: varint, purgedTo: varint };
export const leaseStamp = fields<LeaseStamp>({ sentAt: float64 });
export const leaseEcho = fields<LeaseEcho>({ incarnation: varint, span: varint, sentAt: float64 });
