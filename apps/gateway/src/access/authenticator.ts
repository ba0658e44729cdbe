/**
 * Who sends a request, by its Authorization header (RFC 6750). What a header came to is remembered while it holds, so that
 * the next request with the same one costs a look-up: a hash would cost as much as a small read does here. A header that is
 * not remembered is held against hashes, in constant time.
 */
import { timingSafeEqual } from 'node:crypto';
import { OperationalError, tokenParts } from '@ringleader/contracts';
import type { Clock } from '@ringleader/primitives';
import type { Caller } from './caller.js';
import { hashOf } from './known-tokens.js';
import type { KnownTokens } from './known-tokens.js';

export type UnauthenticatedReason = 'missing' | 'malformed' | 'unknown' | 'expired';

/** The token of the administrator, by its hash; more than one while another takes its place. */
export interface RootToken {
  readonly hashes: readonly Buffer[];
  readonly caller: Caller;
}

/** Tokens that somebody else issues. */
export interface TokenReviewer {
  /** Whether it may be one of theirs: all that is said of it without asking. */
  mayKnow(token: string): boolean;
  /** The ServiceAccount that it is of, and for how long that may be believed; null: nobody's. */
  review(token: string): Promise<Reviewed | null>;
}

export interface Reviewed {
  readonly serviceAccount: string;
  readonly untilMs: number;
}

export interface AuthenticatorOptions {
  readonly tokens: Pick<KnownTokens, 'callerBy' | 'callerOfAccount'>;
  /** Whether the records were read: before, nobody but the administrator is known. */
  readonly isFilled: () => boolean;
  readonly root: RootToken;
  /** Null: none but our own tokens are taken. */
  readonly reviewer: TokenReviewer | null;
  readonly clock: Clock;
}

interface Remembered {
  readonly caller: Caller;
  readonly untilMs: number;
}

/** One holder can spell one header in several ways: more than this is no use that deserves memory. */
const REMEMBERED_MAX = 10_000;
const BEARER = /^bearer +([A-Za-z0-9\-._~+/]+=*) *$/i;
const ANY_BEARER = /^bearer(?: |$)/i;

export class Authenticator {
  private readonly remembered = new Map<string, Remembered>();
  /** Counts what makes everything that is remembered worthless. */
  private changes = 0;

  constructor(private readonly options: AuthenticatorOptions) {}

  /** Null for a header that is not remembered, whatever it is. */
  recall(header: string): Caller | null {
    const found = this.remembered.get(header);
    return found !== undefined && found.untilMs > this.options.clock.wallMs() ? found.caller : null;
  }

  /** Records have changed. */
  forget(): void {
    this.changes += 1;
    this.remembered.clear();
  }

  /** Throws UNAUTHENTICATED, or UNAVAILABLE where nobody can tell. */
  authenticate(header: string | undefined): Caller | Promise<Caller> {
    if (header === undefined) throw unauthenticated('missing');
    const known = this.recall(header);
    if (known !== null) return known;
    const [, token] = BEARER.exec(header) ?? [];
    if (token === undefined) throw unauthenticated(ANY_BEARER.test(header) ? 'malformed' : 'missing');
    if (this.isRoot(token)) return this.remember(header, this.options.root.caller);
    if (!this.options.isFilled()) {
      throw new OperationalError('UNAVAILABLE', 'This gateway has not read yet which tokens there are');
    }
    const parts = tokenParts(token);
    if (parts === null) return this.review(header, token);
    const caller = this.options.tokens.callerBy(parts);
    if (caller === null) throw unauthenticated('unknown');
    return this.remember(header, caller);
  }

  private isRoot(token: string): boolean {
    const asked = hashOf(token);
    return this.options.root.hashes.some((hash) => timingSafeEqual(hash, asked));
  }

  private review(header: string, token: string): Promise<Caller> {
    const { reviewer } = this.options;
    if (reviewer === null || !reviewer.mayKnow(token)) throw unauthenticated('unknown');
    return this.reviewed(reviewer, header, token);
  }

  private async reviewed(reviewer: TokenReviewer, header: string, token: string): Promise<Caller> {
    const { changes } = this;
    const reviewed = await reviewer.review(token);
    const { tokens, clock } = this.options;
    const caller = reviewed && tokens.callerOfAccount(reviewed.serviceAccount, clock.wallMs());
    if (reviewed === null || caller === null) throw unauthenticated('unknown');
    return changes === this.changes ? this.remember(header, caller, reviewed.untilMs) : caller;
  }

  private remember(header: string, caller: Caller, untilMs = Infinity): Caller {
    if (caller.expiresAtMs <= this.options.clock.wallMs()) throw unauthenticated('expired');
    if (this.remembered.size >= REMEMBERED_MAX) this.remembered.clear();
    this.remembered.set(header, { caller, untilMs: Math.min(untilMs, caller.expiresAtMs) });
    return caller;
  }
}

const DETAILS: Readonly<Record<UnauthenticatedReason, string>> = {
  missing: 'This takes a token: Authorization: Bearer rl_...',
  malformed: 'The Authorization header holds no bearer token (RFC 6750, section 2.1)',
  unknown: 'There is no such token: it was revoked, or never made',
  expired: 'The token has expired',
};

export function unauthenticated(reason: UnauthenticatedReason): OperationalError {
  return new OperationalError('UNAUTHENTICATED', DETAILS[reason], { reason });
}
