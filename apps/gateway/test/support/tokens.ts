/** A gateway's tokens, as its mirror would have them. */
import { hash } from 'node:crypto';
import { tokenKey, tokenText } from '@ringleader/contracts';
import type { Grant, TokenRecord } from '@ringleader/contracts';
import { systemClock } from '@ringleader/observability';
import { Authenticator, type RootToken, type TokenReviewer } from '../../src/access/authenticator.js';
import { almighty } from '../../src/access/caller.js';
import { KnownTokens, hashOf } from '../../src/access/known-tokens.js';

const SECRET = 'S'.repeat(43);
export const ROOT = 'a-root-token-of-more-than-32-characters';

export class TestTokens {
  readonly known = new KnownTokens((error) => this.unreadable.push(error.message));
  readonly unreadable: string[] = [];
  isFilled = true;
  readonly root: RootToken = { hashes: [hashOf(ROOT)], caller: almighty('root') };
  readonly authenticator: Authenticator;
  #last = 0;

  constructor(reviewer: TokenReviewer | null = null) {
    this.authenticator = new Authenticator({
      ...{ tokens: this.known, root: this.root, reviewer, clock: systemClock },
      isFilled: () => this.isFilled,
    });
  }

  /** What its holder sends. */
  add(grants: readonly Grant[], more: Partial<TokenRecord> = {}): string {
    this.#last += 1;
    const id = String(this.#last).padStart(12, 'a');
    const record: TokenRecord = {
      ...{ id, name: `token ${this.#last}`, grants: [...grants], expiresAt: null },
      ...{ createdAt: new Date().toISOString(), createdBy: 'root' },
      ...(more.serviceAccount === undefined && { hash: hash('sha256', SECRET, 'base64url') }),
      ...more,
    };
    this.put(id, JSON.stringify(record));
    return tokenText(id, SECRET);
  }

  put(id: string, value: string): void {
    const item = { key: tokenKey(id), value, createRevision: 1, modRevision: 1, version: 1, lease: 0 };
    this.known.apply({ puts: [item], deletes: [] });
    this.authenticator.forget();
  }

  remove(token: string): void {
    this.known.apply({ puts: [], deletes: [tokenKey(token.split('_')[1] ?? '')] });
    this.authenticator.forget();
  }
}

export const bearer = (token: string): { Authorization: string } => ({ Authorization: `Bearer ${token}` });
