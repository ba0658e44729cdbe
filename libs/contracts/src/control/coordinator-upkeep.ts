/** What operators do with the coordinators' store, and how members are held against each other. */
import { z } from 'zod';
import { OPERATORS, messageContract } from '../message-contract.js';
import { revision } from './coordinator-store.js';

const memberId = z.string().regex(/^\d{1,16}$/);
/** Of all keys at one revision. */
const hash = z.string().regex(/^[0-9a-f]{16}$/);

export const storeHashesSchema = z
  .object({
    revision: revision.describe('That all hashes are of.'),
    consistent: z.boolean().describe('No two members that answered differ.'),
    members: z.array(
      z.object({
        name: z.string(),
        id: memberId,
        hash: hash.nullable().describe('Null where the member has none of this revision.'),
        state: z
          .enum(['agrees', 'differs', 'compacted', 'silent'])
          .describe(
            'differs: from the hash that most have; compacted: it has forgotten the revision; silent: no answer.',
          ),
      }),
    ),
  })
  .meta({ id: 'CoordinatorHashes' });
export type StoreHashes = z.infer<typeof storeHashesSchema>;

export const compactedSchema = z
  .object({ compactedRevision: revision.describe('The oldest that can still be read.') })
  .meta({ id: 'CoordinatorCompacted' });
export type StoreCompacted = z.infer<typeof compactedSchema>;

export const upkeepContracts = {
  /** By gateways, for operators: forgets what was before the revision, which itself stays readable. */
  compact: messageContract({
    operation: 'compact',
    askers: OPERATORS,
    request: z.object({ revision }),
    response: compactedSchema,
    errors: ['UNAVAILABLE', 'OUTCOME_UNKNOWN', 'OVERLOADED', 'DISK_FULL', 'COMPACTED', 'FUTURE_REVISION'],
    deadline: 'commit',
  }),
  /** Of the member that is asked, once it has applied all that was committed when it was asked. */
  hash: messageContract({
    operation: 'hash',
    askers: ['coordinator'],
    request: z.object({ revision: revision.optional() }),
    response: z.object({
      id: memberId,
      /** The newest there. */
      revision,
      compactedRevision: revision,
      /** Null where the asked revision is compacted, or was never reached. */
      hash: hash.nullable(),
    }),
    errors: ['UNAVAILABLE'],
    deadline: 'quick',
  }),
  /** Of all members, by the leader: at the newest revision, where none is named. */
  hashes: messageContract({
    operation: 'hashes',
    askers: OPERATORS,
    request: z.object({ revision: revision.optional() }),
    response: storeHashesSchema,
    errors: ['UNAVAILABLE', 'NOT_LEADER', 'COMPACTED', 'FUTURE_REVISION'],
    deadline: 'quick',
  }),
  /** By gateways, for operators: a snapshot of all that is committed, as a file, which is then fetched from the same member. */
  openSnapshot: messageContract({
    operation: 'openSnapshot',
    askers: OPERATORS,
    request: z.object({}),
    response: z.object({ snapshot: z.string(), revision }),
    errors: ['UNAVAILABLE', 'OVERLOADED'],
    deadline: 'quick',
  }),
  /** In order, the last one again as often as it is asked for. */
  readSnapshot: messageContract({
    operation: 'readSnapshot',
    askers: OPERATORS,
    request: z.object({ snapshot: z.string(), part: z.int().min(0) }),
    response: z.object({ dataBase64: z.string(), isLast: z.boolean() }),
    errors: ['UNAVAILABLE'],
    deadline: 'quick',
  }),
  /** No more of it is wanted. One that nobody closes is given up after a while, and is one of few until then. */
  closeSnapshot: messageContract({
    operation: 'closeSnapshot',
    askers: OPERATORS,
    request: z.object({ snapshot: z.string() }),
    response: z.object({}),
    errors: [],
    deadline: 'quick',
  }),
};
export type UpkeepOperation = keyof typeof upkeepContracts;
