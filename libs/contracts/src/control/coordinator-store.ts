/** Keys, values and transactions of the coordinators' store: etcd v3's data model, in JSON. */
import { z } from 'zod';

/** Values of the control plane are small: in UTF-16 units as a text, in bytes otherwise. */
export const COORDINATOR_VALUE_LENGTH_MAX = 131_072;
/** Operations and comparisons of one request, in all of its branches and levels. (The first partition map has more, and is made inside.) */
export const COORDINATOR_TXN_OPERATIONS_MAX = 1_536;
/** Transactions within transactions: how many levels there are below the outermost. */
export const COORDINATOR_TXN_DEPTH_MAX = 16;

const KEY_LENGTH_MAX = 1_024;
const ITEMS_MAX = 100_000;

export const revision = z.int().min(0);
/** 0 is "no lease". */
export const leaseId = z.int().min(0);
const isWellFormed = (text: string): boolean => text.isWellFormed();
/** Text that has a UTF-8 form: a lone surrogate has none. */
const text = z.string().refine(isWellFormed, 'must be well-formed Unicode');
export const coordinatorKey = text.min(1).max(KEY_LENGTH_MAX);
const valueText = text.max(COORDINATOR_VALUE_LENGTH_MAX);
const isShortEnough = (base64: string): boolean =>
  Buffer.byteLength(base64, 'base64') <= COORDINATOR_VALUE_LENGTH_MAX;
const valueBase64 = z
  .base64()
  .max(Math.ceil(COORDINATOR_VALUE_LENGTH_MAX / 3) * 4)
  .refine(isShortEnough, `must have at most ${COORDINATOR_VALUE_LENGTH_MAX} bytes`);

/** `rangeEnd` absent: the one key; otherwise keys from `key` on, before `rangeEnd`, or to the end if that is empty. */
export const keyRange = {
  key: text.max(KEY_LENGTH_MAX),
  rangeEnd: text.max(KEY_LENGTH_MAX + 1).optional(),
};

interface KeyRange {
  readonly key: string;
  readonly rangeEnd?: string | undefined;
}
/** What `namesKeys` refuses. */
export const NO_KEY = { path: ['key'], message: 'must not be empty without a rangeEnd' };
export const namesKeys = ({ key, rangeEnd }: KeyRange): boolean => key !== '' || rangeEnd !== undefined;

/**
 * How an answer has values. `text`, which is meant where nothing is said: as text, and only what is no UTF-8 as base64.
 * `base64`: all of them.
 */
export const valueForm = z.enum(['text', 'base64']);
export type ValueForm = z.infer<typeof valueForm>;

export const keyValueSchema = z.object({
  key: coordinatorKey,
  /** Empty where `valueBase64` has it. */
  value: z.string(),
  valueBase64: z.string().optional(),
  createRevision: revision,
  modRevision: revision,
  version: z.int().min(1),
  lease: leaseId,
});
export type KeyValue = z.infer<typeof keyValueSchema>;

const readOptions = {
  limit: z.int().min(1).max(ITEMS_MAX).optional(),
  /** Read as of this revision; absent is the present one, in a transaction with what it has done so far. */
  revision: revision.optional(),
  /** Absent: by key. What is equal in it stands in the order of the keys. */
  sortBy: z.enum(['key', 'version', 'createRevision', 'modRevision', 'value']).optional(),
  order: z.enum(['ascending', 'descending']).optional(),
  /** No values. */
  keysOnly: z.boolean().optional(),
  /** No items. */
  countOnly: z.boolean().optional(),
  /** Keys outside of these bounds are left out of the items, not out of the count. */
  minModRevision: revision.optional(),
  maxModRevision: revision.optional(),
  minCreateRevision: revision.optional(),
  maxCreateRevision: revision.optional(),
};

export const rangeRequestSchema = z
  .object({
    ...keyRange,
    ...readOptions,
    values: valueForm.optional(),
    /** True reads the member's own state without asking a majority. */
    serializable: z.boolean().optional(),
  })
  .refine(namesKeys, NO_KEY);

/** `count` is of all keys of the range, whatever the bounds. */
const rangeResult = { items: z.array(keyValueSchema), count: z.int().min(0), more: z.boolean() };

/**
 * `revision` is what was read. An answer is bounded in size: with `more`, ask again from behind the last key
 * (`keyAfter`), at this revision. That goes by the order of the keys only: of another order an answer has the beginning.
 */
export const rangeResponseSchema = z.object({ revision, ...rangeResult });

const compareResult = z.enum(['equal', 'notEqual', 'greater', 'less']);
/**
 * Of a range all keys must compare so. A key that does not exist has version, revisions and lease 0, and no value: every
 * comparison of its value fails. A range without keys is compared as one key that does not exist.
 */
export const compareSchema = z.discriminatedUnion('target', [
  z
    .object({
      ...keyRange,
      target: z.enum(['version', 'createRevision', 'modRevision', 'lease']),
      result: compareResult,
      operand: z.int().min(0),
    })
    .refine(namesKeys, NO_KEY),
  z
    .object({
      ...keyRange,
      target: z.literal('value'),
      result: compareResult,
      /** The value as text, or in its place `operandBase64`. */
      operand: valueText.optional(),
      operandBase64: valueBase64.optional(),
    })
    .refine(namesKeys, NO_KEY)
    .refine(({ operand, operandBase64 }) => (operand === undefined) !== (operandBase64 === undefined), {
      path: ['operand'],
      message: 'must be given once: as operand, or as operandBase64',
    }),
]);
export type StoreCompare = z.infer<typeof compareSchema>;

const isOneOf = (...given: readonly boolean[]): boolean => given.filter(Boolean).length === 1;

const putSchema = z
  .object({
    kind: z.literal('put'),
    key: coordinatorKey,
    /** The value as text, or in its place `valueBase64`, or `keepValue`: the value that the key has. */
    value: valueText.optional(),
    valueBase64: valueBase64.optional(),
    keepValue: z.boolean().optional(),
    /** Absent or 0: none, whatever the key had. */
    lease: leaseId.optional(),
    /** The lease that the key has. */
    keepLease: z.boolean().optional(),
    wantsPrevious: z.boolean().optional(),
  })
  .refine(
    ({ value, valueBase64: base64, keepValue }) =>
      isOneOf(value !== undefined, base64 !== undefined, keepValue === true),
    { path: ['value'], message: 'must be given once: as value, as valueBase64, or by keepValue' },
  )
  .refine(({ lease, keepLease }) => lease === undefined || keepLease !== true, {
    path: ['lease'],
    message: 'must not be given with keepLease',
  });

const deleteSchema = z
  .object({ kind: z.literal('delete'), ...keyRange, wantsPrevious: z.boolean().optional() })
  .refine(namesKeys, NO_KEY);

const rangeSchema = z
  .object({ kind: z.literal('range'), ...keyRange, ...readOptions })
  .refine(namesKeys, NO_KEY);

interface StoreBranches {
  compare: StoreCompare[];
  success: StoreOperation[];
  failure: StoreOperation[];
}

/** A transaction in a transaction. Its comparisons, too, see the store as it was before all of it. */
export interface NestedStoreTxn extends StoreBranches {
  kind: 'txn';
}

export type StoreOperation =
  z.infer<typeof putSchema> | z.infer<typeof deleteSchema> | z.infer<typeof rangeSchema> | NestedStoreTxn;

/** What is nested deeper than is allowed is not looked into: it is refused by the level that it stands on. */
const tooDeep = z
  .object({ kind: z.literal('txn') })
  .transform((): NestedStoreTxn => ({ kind: 'txn', compare: [], success: [], failure: [] }));

function branchesOf(operation: z.ZodType<StoreOperation>) {
  const branch = z.array(operation);
  return { compare: z.array(compareSchema), success: branch, failure: branch };
}

function operationAbove(levels: number): z.ZodType<StoreOperation> {
  const nested =
    levels === 0 ? tooDeep : z.object({ kind: z.literal('txn'), ...branchesOf(operationAbove(levels - 1)) });
  return z.discriminatedUnion('kind', [putSchema, deleteSchema, rangeSchema, nested]);
}

/** If all comparisons hold `success` is carried out, else `failure`: at one revision, or nothing. */
export const txnRequestSchema = z.object({
  ...branchesOf(operationAbove(COORDINATOR_TXN_DEPTH_MAX)),
  values: valueForm.optional(),
});

const putResult = z.object({
  kind: z.literal('put'),
  /** Absent where it was not wanted, where there was none, and with `more`. */
  previous: keyValueSchema.optional(),
  /** True: there was a previous value, and the answer has no room for it. */
  more: z.boolean().optional(),
});
const deleteResult = z.object({
  kind: z.literal('delete'),
  deleted: z.int().min(0),
  /** Present where wanted. With `more`, those that the answer had room for. */
  previous: z.array(keyValueSchema).optional(),
  more: z.boolean().optional(),
});
const rangeOperationResult = z.object({ kind: z.literal('range'), ...rangeResult });

export type StoreOperationResult =
  | z.infer<typeof putResult>
  | z.infer<typeof deleteResult>
  | z.infer<typeof rangeOperationResult>
  | { kind: 'txn'; succeeded: boolean; results: StoreOperationResult[] };

export const operationResultSchema: z.ZodType<StoreOperationResult> = z.discriminatedUnion('kind', [
  putResult,
  deleteResult,
  rangeOperationResult,
  z.object({
    kind: z.literal('txn'),
    succeeded: z.boolean(),
    get results() {
      return z.array(operationResultSchema);
    },
  }),
]);

export const txnResponseSchema = z.object({
  revision,
  succeeded: z.boolean(),
  results: z.array(operationResultSchema),
});
