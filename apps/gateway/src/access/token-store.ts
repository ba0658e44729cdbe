/** Tokens as those see them who manage them: made, listed and revoked at the coordinators. */
import { randomBytes, randomInt } from 'node:crypto';
import {
  OperationalError,
  TOKENS_PREFIX,
  allowsPrefix,
  keyAfter,
  managesGrants,
  prefixRange,
  tokenKey,
  tokenRecordSchema,
  tokenText,
} from '@ringleader/contracts';
import type { KeyValue, Token, TokenCreated, TokenRecord, TokenRequest } from '@ringleader/contracts';
import { parseMetadata, readItems } from '@ringleader/coordination';
import type { CallOptions, Coordinator } from '@ringleader/coordination';
import type { Clock } from '@ringleader/primitives';
import { unauthenticated } from './authenticator.js';
import { forbidden } from './caller.js';
import type { Caller } from './caller.js';
import { hashOf } from './known-tokens.js';

export interface TokenStoreOptions {
  readonly client: Pick<Coordinator, 'range' | 'txn'>;
  readonly clock: Clock;
  readonly delegatedMax: number;
}

const SECRET_BYTES = 32;
const ID_LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';
const ID_LENGTH = 12;
/** For this gateway to have heard of a change that it has made itself. */
const HEARD_WITHIN_MS = 1_000;

export class TokenStore {
  private heard = 0;
  private readonly waiting = new Set<{ readonly revision: number; readonly resolve: () => void }>();

  constructor(private readonly options: TokenStoreOptions) {}

  async create(caller: Caller, request: TokenRequest, options: CallOptions): Promise<TokenCreated> {
    refuseMore(caller, request);
    const { expiresAt = null, ...asked } = request;
    const until =
      expiresAt ?? (caller.expiresAtMs === Infinity ? null : new Date(caller.expiresAtMs).toISOString());
    const now = this.options.clock.wallMs();
    if (until !== null && Date.parse(until) <= now) {
      throw new OperationalError('INVALID_ARGUMENT', 'expiresAt is past', { field: 'expiresAt' });
    }
    const delegation = delegationOf(caller);
    if (delegation !== null) await this.refuseTooMany(delegation, options);
    const id = newId();
    const under = delegation === null ? {} : { delegation };
    const token: Token = {
      id,
      ...asked,
      expiresAt: until,
      createdAt: new Date(now).toISOString(),
      createdBy: caller.id,
    };
    if (request.serviceAccount !== undefined) {
      await this.write(caller, { ...token, ...under }, options);
      return token;
    }
    const secret = randomBytes(SECRET_BYTES).toString('base64url');
    await this.write(caller, { ...token, ...under, hash: hashOf(secret).toString('base64url') }, options);
    return { ...token, token: tokenText(id, secret) };
  }

  /** Those that the caller manages, by their ids. */
  async list(caller: Caller, options: CallOptions): Promise<Token[]> {
    const records = await this.records(options);
    return records.map(tokenOf).filter(({ grants }) => managesGrants(caller.grants, grants));
  }

  /** Those who make tokens at the same moment may come to a few more. */
  private async refuseTooMany(delegation: string, options: CallOptions): Promise<void> {
    const { delegatedMax: tokensMax } = this.options;
    const records = await this.records(options);
    if (records.filter((record) => record.delegation === delegation).length < tokensMax) return;
    const detail = `There are ${tokensMax} tokens under ${delegation} already, as many as there may be: revoke some`;
    throw new OperationalError('TOO_MANY_TOKENS', detail, { tokensMax });
  }

  /** Without what cannot be read: whoever follows the tokens tells of that (`KnownTokens`). */
  private async records(options: CallOptions): Promise<TokenRecord[]> {
    const { client } = this.options;
    const range = prefixRange(TOKENS_PREFIX);
    const items: KeyValue[] = [];
    let page = await client.range(range, options);
    const { revision } = page;
    for (;;) {
      items.push(...page.items);
      const last = page.items.at(-1);
      if (!page.more || last === undefined) break;
      page = await client.range({ ...range, key: keyAfter(last.key), revision }, options);
    }
    return readItems(tokenRecordSchema, items, () => undefined).map(({ value }) => value);
  }

  /** One that the caller does not manage is not told from one that there is not. */
  async find(caller: Caller, id: string, options: CallOptions): Promise<Token> {
    const { items } = await this.options.client.range({ key: tokenKey(id) }, options);
    const token = items[0] === undefined ? null : tokenOf(parseMetadata(tokenRecordSchema, items[0]));
    if (token !== null && managesGrants(caller.grants, token.grants)) return token;
    throw notFound(id);
  }

  /** Who manages all tokens need not know what one is for. */
  async revoke(caller: Caller, id: string, options: CallOptions): Promise<void> {
    const key = tokenKey(id);
    const { client } = this.options;
    const managesAll = allowsPrefix(caller.grants, 'admin', '');
    if (!managesAll) await this.find(caller, id, options);
    else if ((await client.range({ key }, options)).count === 0) throw notFound(id);
    const { revision } = await client.txn(
      { compare: [], success: [{ kind: 'delete', key }], failure: [] },
      options,
    );
    await this.hears(revision);
  }

  /** All changes up to this revision are followed here. */
  knows(revision: number): void {
    this.heard = Math.max(this.heard, revision);
    for (const waiting of this.waiting) if (waiting.revision <= revision) waiting.resolve();
  }

  /** Only while what the caller rests on is there: who is revoked at this moment leaves nothing behind. */
  private async write(caller: Caller, record: TokenRecord, options: CallOptions): Promise<void> {
    const key = tokenKey(record.id);
    const own = caller.records.map(tokenKey);
    const { succeeded, revision } = await this.options.client.txn(
      {
        compare: [
          { key, target: 'version', result: 'equal', operand: 0 },
          ...own.map((one) => ({ key: one, target: 'version', result: 'greater', operand: 0 }) as const),
        ],
        success: [{ kind: 'put', key, value: JSON.stringify(record) }],
        failure: [],
      },
      options,
    );
    if (succeeded) return this.hears(revision);
    for (const one of own) {
      const { count } = await this.options.client.range({ key: one }, options);
      if (count === 0) throw unauthenticated('unknown');
    }
    throw new OperationalError('UNAVAILABLE', 'The id was taken: nothing was done, ask again');
  }

  /** So that who makes a token can use it, and who revokes one cannot any more, where it was done, once it is answered. */
  private hears(revision: number): Promise<void> {
    if (this.heard >= revision) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.waiting.delete(waiting);
        resolve();
      };
      const timer = setTimeout(done, HEARD_WITHIN_MS);
      const waiting = { revision, resolve: done };
      this.waiting.add(waiting);
    });
  }
}

/** Nobody gives what they do not have: neither keys, nor a role, nor time. */
function refuseMore(caller: Caller, { grants, expiresAt }: TokenRequest): void {
  const tooMuch = grants.find((grant) => !managesGrants(caller.grants, [grant]));
  if (tooMuch !== undefined) {
    const detail = 'A token is made by who administers all prefixes that it is for';
    throw forbidden(detail, { role: 'admin', prefix: tooMuch.prefix });
  }
  if (Date.parse(expiresAt ?? '') <= caller.expiresAtMs || (expiresAt ?? null) === null) return;
  const detail = 'A token does not live longer than the one by which it is made';
  throw forbidden(detail, { expiresAt: new Date(caller.expiresAtMs).toISOString() });
}

/** What is bounded is what is made under a token, not by it: else each could make others which make as many again. */
function delegationOf({ id, grants, delegation }: Caller): string | null {
  return allowsPrefix(grants, 'admin', '') ? null : (delegation ?? id);
}

function notFound(id: string): OperationalError {
  return new OperationalError('TOKEN_NOT_FOUND', 'There is no such token among those you manage', {
    token: id,
  });
}

function tokenOf({ hash: _hash, delegation: _delegation, ...token }: TokenRecord): Token {
  return token;
}

function newId(): string {
  return Array.from({ length: ID_LENGTH }, () => ID_LETTERS[randomInt(ID_LETTERS.length)]).join('');
}
