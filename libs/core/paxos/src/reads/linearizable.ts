import type { Leader } from '../partition/leader.js';
import type { Replica } from '../partition/replica.js';
import type { ReadRequest, ShardReply } from '../requests.js';
import { isLive } from '../writes/conditions.js';
import { awaitCommit, type WritePort } from '../writes/decide.js';
import type { CacheEntry } from '../partition/row-cache.js';

export type ReadPort = WritePort;

/**
 * 4.5.1: the newest row, which has not expired; when it is committed at this ballot, and then the lease is checked. Absent is a row like any
 * other.
 */
export function readFromLeader(
  context: ReadPort,
  replica: Replica,
  leader: Leader,
  { request, entry }: { request: ReadRequest; entry: CacheEntry },
): void {
  const { row } = entry;
  const { token } = request;
  const reply: ShardReply = { kind: 'row', token, row: isLive(row) ? row : null, stalenessMs: 0 };
  awaitCommit(context, replica, leader, {
    request,
    revision: row?.revision ?? 0,
    reply,
    needsLeadership: true,
  });
}
