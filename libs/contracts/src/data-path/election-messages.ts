/** Elections, leadership given up, and leases (docs/PROTOCOL.md 4.1, 4.4). */
import { float64, varint } from '@ringleader/primitives';
import { header, leaseEcho, leaseStamp, type MessageTable, replicaState } from './message-codec.js';

type ElectionKind =
  | 'prepare'
  | 'promised'
  | 'prepareRefused'
  | 'superseded'
  | 'confirm'
  | 'confirmed'
  | 'released'
  | 'releaseSeen'
  | 'stand';

export const electionMessages: MessageTable<ElectionKind> = {
  prepare: { code: 1, fields: header },
  promised: { code: 2, fields: { ...header, ...replicaState } },
  prepareRefused: { code: 3, fields: { ...header, promised: varint, retryInMs: float64 } },
  superseded: { code: 4, fields: { ...header, promised: varint } },
  confirm: { code: 5, fields: { ...header, round: varint, lease: leaseStamp } },
  confirmed: { code: 6, fields: { ...header, round: varint, lease: leaseEcho } },
  released: { code: 7, fields: header },
  releaseSeen: { code: 8, fields: header },
  stand: { code: 9, fields: header },
};
