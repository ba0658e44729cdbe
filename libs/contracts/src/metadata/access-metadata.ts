/**
 * Who may do what through a gateway. A token is `rl_<id>_<secret>`: the id names its record here, the secret is known to
 * its holder alone; the record has its hash. Gateways write the records, for those who manage tokens, and follow them.
 */
import { compareKeys } from '@ringleader/primitives';
import { z } from 'zod';
import { prefixRange } from '../control/key-ranges.js';

/** Each includes those before it: who may write may read, and who manages a prefix may do all of it. */
export const ROLES = ['read', 'write', 'admin'] as const;
export type Role = (typeof ROLES)[number];

const KEY_LENGTH_MAX = 1_024;
const isWellFormed = (text: string): boolean => text.isWellFormed();

export const grantSchema = z
  .strictObject({
    role: z
      .enum(ROLES)
      .describe(
        'read, write (which includes reading), or admin (which includes both, and manages tokens of this prefix; of the empty prefix: the cluster).',
      ),
    prefix: z
      .string()
      .max(KEY_LENGTH_MAX)
      .refine(isWellFormed, 'must be well-formed Unicode')
      .describe('Of keys; empty: of all keys, and of what the cluster tells of itself.'),
  })
  .meta({ id: 'Grant' });
export type Grant = z.infer<typeof grantSchema>;

export const SERVICE_ACCOUNT_PATTERN =
  /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\/[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;

export const TOKENS_PREFIX = '/ringleader/tokens/';
export const tokenKey = (id: string): string => `${TOKENS_PREFIX}${id}`;
/** What is told of a token to those who manage it. */
export const tokenSchema = z
  .object({
    id: z.string().regex(/^[a-z0-9]{12}$/),
    name: z.string(),
    description: z.string().optional(),
    grants: z.array(grantSchema).min(1),
    serviceAccount: z
      .string()
      .optional()
      .describe('NAMESPACE/NAME: its tokens are taken, and there is no secret here.'),
    requestsPerSecond: z.int().min(1).optional().describe('At each gateway; absent: no limit of its own.'),
    expiresAt: z.iso.datetime().nullable().describe('Null: never.'),
    createdAt: z.iso.datetime(),
    createdBy: z.string().describe('The id of the token by which it was made.'),
  })
  .meta({ id: 'Token' });
export type Token = z.infer<typeof tokenSchema>;

export const tokenRecordSchema = tokenSchema.extend({
  /** Of one who administers some prefixes only: the id of the token under which it was made, by whomever. */
  delegation: z.string().optional(),
  /** SHA-256 of the secret, in base64url; absent where a ServiceAccount's tokens are taken. */
  hash: z
    .string()
    .regex(/^[A-Za-z0-9_-]{43}$/)
    .optional(),
});
export type TokenRecord = z.infer<typeof tokenRecordSchema>;

/** The token that a file holds, not the coordinators: it may do everything. */
export const ROOT_TOKEN_ID = 'root';

export const tokenText = (id: string, secret: string): string => `rl_${id}_${secret}`;
const TOKEN = /^rl_([a-z0-9]{4,12})_([A-Za-z0-9_-]{43})$/;

export interface TokenParts {
  readonly id: string;
  /** 32 random bytes in base64url. */
  readonly secret: string;
}

/** Null for what is no token of ours. */
export function tokenParts(text: string): TokenParts | null {
  const [, id, secret] = TOKEN.exec(text) ?? [];
  return id === undefined || secret === undefined ? null : { id, secret };
}

/** Keys from `start` on, before `end`; null is to the last. */
export interface GrantedRange {
  readonly start: string;
  readonly end: string | null;
}

const includes = (has: Role, needed: Role): boolean => ROLES.indexOf(has) >= ROLES.indexOf(needed);

/** Whether one of the grants is for all keys that begin with `prefix`. A key is such a prefix, too. */
export function allowsPrefix(grants: readonly Grant[], role: Role, prefix: string): boolean {
  // Asked of each operation of a batch.
  for (const grant of grants) if (includes(grant.role, role) && prefix.startsWith(grant.prefix)) return true;
  return false;
}

/** Whether one of the grants is for all keys of the range. */
export function allowsRange(grants: readonly Grant[], role: Role, { start, end }: GrantedRange): boolean {
  return grants.some((grant) => {
    if (!includes(grant.role, role)) return false;
    const { key, rangeEnd } = prefixRange(grant.prefix);
    if (compareKeys(start, key) < 0) return false;
    return rangeEnd === '' || (end !== null && compareKeys(end, rangeEnd) <= 0);
  });
}

/** Whether who has these grants may give, see and take away those. */
export function managesGrants(grants: readonly Grant[], others: readonly Grant[]): boolean {
  return others.every(({ prefix }) => allowsPrefix(grants, 'admin', prefix));
}
