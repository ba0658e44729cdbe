/** What two shards say to each other at every heartbeat interval (docs/PROTOCOL.md 4.4.1, 4.5.3). */
import { boolean, fields, float64, listOf, optional, varint } from '@ringleader/primitives';
import type { CommitPoint, FreshStamp } from '@ringleader/paxos';
import { header, leaseEcho, leaseStamp, type MessageTable } from './message-codec.js';

type PairKind = 'heartbeat' | 'heartbeatSeen' | 'commitPoints';

const commitPoint = fields<CommitPoint>({ ...header, commit: varint, fresh: boolean });
const freshStamp = fields<FreshStamp>({ echo: float64, echoIncarnation: varint });

export const pairMessages: MessageTable<PairKind> = {
  heartbeat: { code: 10, fields: { incarnation: varint, lease: leaseStamp } },
  heartbeatSeen: { code: 11, fields: { holder: varint, lease: leaseEcho, pointsHeard: varint } },
  commitPoints: {
    code: 12,
    fields: {
      incarnation: varint,
      after: varint,
      upTo: varint,
      points: listOf(commitPoint),
      stamp: optional(freshStamp),
    },
  },
};
