/** The tokens that the coordinators have records of, as this gateway knows them by its mirror. */
import { hash, timingSafeEqual } from 'node:crypto';
import { OperationalError, tokenKey, tokenRecordSchema } from '@ringleader/contracts';
import type { KeyValue, TokenParts, TokenRecord } from '@ringleader/contracts';
import { parseMetadata } from '@ringleader/coordination';
import type { MirrorChange } from '@ringleader/coordination';
import type { Caller } from './caller.js';
import { TokenBucket } from './token-bucket.js';

export const hashOf = (secret: string): Buffer => hash('sha256', secret, 'buffer');

interface KnownToken {
  readonly record: TokenRecord;
  readonly caller: Caller;
  /** Null of a ServiceAccount. */
  readonly hash: Buffer | null;
}

export class KnownTokens {
  private readonly known = new Map<string, KnownToken>();
  private readonly unreadable = new Set<string>();

  /** Of a record that this version cannot read: its token is not taken. */
  constructor(private readonly onUnreadable: (error: OperationalError) => void) {}

  apply({ puts, deletes }: Pick<MirrorChange, 'puts' | 'deletes'>): void {
    for (const key of deletes) this.forget(key);
    for (const item of puts) this.put(item);
  }

  /** Records that this version cannot read. */
  get unreadableCount(): number {
    return this.unreadable.size;
  }

  private forget(key: string): void {
    this.known.delete(key);
    this.unreadable.delete(key);
  }

  /** Null where there is no such token. */
  callerBy({ id, secret }: TokenParts): Caller | null {
    const token = this.known.get(tokenKey(id));
    if (token === undefined || token.hash === null) return null;
    return timingSafeEqual(token.hash, hashOf(secret)) ? token.caller : null;
  }

  /**
   * All that is granted to a ServiceAccount at present, as one caller; null where nothing is. Whoever administers some prefix may
   * add a record: so of several limits the highest holds, and nobody bounds what others have granted.
   */
  callerOfAccount(serviceAccount: string, nowMs: number): Caller | null {
    const callers = [...this.known.values()]
      .filter(({ record }) => record.serviceAccount === serviceAccount)
      .map(({ caller }) => caller)
      .filter(({ expiresAtMs }) => expiresAtMs > nowMs);
    const [first] = callers;
    if (first === undefined) return null;
    return {
      ...first,
      records: callers.flatMap(({ records }) => records),
      bucket: widest(callers.map(({ bucket }) => bucket)),
      grants: callers.flatMap(({ grants }) => grants),
      expiresAtMs: Math.min(...callers.map(({ expiresAtMs }) => expiresAtMs)),
    };
  }

  private put(item: KeyValue): void {
    try {
      const record = parseMetadata(tokenRecordSchema, item);
      const before = this.known.get(item.key)?.caller.bucket ?? null;
      const hashed = record.hash === undefined ? null : Buffer.from(record.hash, 'base64url');
      this.unreadable.delete(item.key);
      this.known.set(item.key, { record, hash: hashed, caller: callerOfRecord(record, before) });
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      this.known.delete(item.key);
      this.unreadable.add(item.key);
      this.onUnreadable(error);
    }
  }
}

/** Null: no limit. */
function widest(buckets: readonly (TokenBucket | null)[]): TokenBucket | null {
  return buckets.reduce((a, b) => (a === null || b === null ? null : b.perSecond > a.perSecond ? b : a));
}

function callerOfRecord(record: TokenRecord, before: TokenBucket | null): Caller {
  const { id, name, grants, delegation, expiresAt, requestsPerSecond } = record;
  const isSame = before !== null && before.perSecond === requestsPerSecond;
  const limited = requestsPerSecond === undefined ? null : new TokenBucket(requestsPerSecond);
  return {
    ...{ id, records: [id], name, grants, delegation },
    expiresAtMs: expiresAt === null ? Infinity : Date.parse(expiresAt),
    bucket: isSame ? before : limited,
  };
}
