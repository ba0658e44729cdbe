/**
 * Our own store, key by key: put, get and delete under conditions, answered with revisions and versions (docs/PROTOCOL.md
 * 4.5, 4.7). A revision counts the writes of a whole partition, so for one key it is only known to grow; a version counts
 * the writes of the key since it was created, exactly.
 *
 * A write whose outcome is unknown has a revision that nobody saw. The state then says "at least this", until an answer
 * names it; from there on it is exact.
 */
import type { Operation, Outcome } from '../history.js';
import type { Model } from '../model.js';

export interface KvConditions {
  readonly ifRevision?: number | undefined;
  readonly ifVersion?: number | undefined;
  readonly ifAbsent?: boolean | undefined;
  readonly ifPresent?: boolean | undefined;
}

export type KvInput =
  | { readonly op: 'get'; readonly key: string }
  | { readonly op: 'put'; readonly key: string; readonly value: string; readonly conditions?: KvConditions }
  | { readonly op: 'delete'; readonly key: string; readonly conditions?: KvConditions };

/** Revisions and versions may be left out where a client did not see them: then they are not checked. */
export type KvOutput =
  /** Of a get. */
  | {
      readonly kind: 'row';
      readonly value: string;
      readonly revision?: number | undefined;
      readonly version?: number | undefined;
    }
  /** Of a get, or of a delete that found nothing to delete. */
  | { readonly kind: 'absent' }
  /** Of a put or a delete. The version is that of the new row; of a delete, leave it out. */
  | {
      readonly kind: 'written';
      readonly revision?: number | undefined;
      readonly version?: number | undefined;
      readonly created?: boolean | undefined;
    }
  /** Of a put or a delete: the present revision and version, 0 where the key does not exist. */
  | {
      readonly kind: 'conditionFailed';
      readonly revision?: number | undefined;
      readonly version?: number | undefined;
    };

export interface KvState {
  /** Null where the key does not exist. */
  readonly value: string | null;
  /** 0 where the key does not exist. */
  readonly version: number;
  /** Of the last write, a delete included: this one if `exact`, otherwise this one or a higher one. */
  readonly revision: number;
  readonly exact: boolean;
}

/** The state in which the present row has that revision: undefined if it cannot. A key that does not exist shows 0. */
function withRevision(state: KvState, revision: number | undefined): KvState | undefined {
  if (revision === undefined) return state;
  if (state.value === null) return revision === 0 ? state : undefined;
  if (state.exact) return revision === state.revision ? state : undefined;
  return revision >= state.revision ? { ...state, revision, exact: true } : undefined;
}

/** The state in which the conditions hold, or undefined if they cannot. */
function satisfying(state: KvState, conditions: KvConditions = {}): KvState | undefined {
  const { ifRevision, ifVersion, ifAbsent = false, ifPresent = false } = conditions;
  if (ifVersion !== undefined && ifVersion !== state.version) return undefined;
  if (ifAbsent && state.value !== null) return undefined;
  if (ifPresent && state.value === null) return undefined;
  return withRevision(state, ifRevision);
}

/**
 * Whether the conditions may have failed in this state. Only a condition on a revision that is not known exactly leaves
 * it open; that it differed from the one named is then not kept, which can hide a violation but never invents one.
 */
function mayFail(state: KvState, conditions: KvConditions = {}): boolean {
  const satisfied = satisfying(state, conditions);
  return (
    satisfied === undefined || (conditions.ifRevision !== undefined && !state.exact && state.value !== null)
  );
}

function write(
  state: KvState,
  value: string | null,
  seen: {
    readonly revision?: number | undefined;
    readonly version?: number | undefined;
    readonly created?: boolean | undefined;
  },
): KvState | undefined {
  const version = value === null ? 0 : state.version + 1;
  if (seen.version !== undefined && seen.version !== version) return undefined;
  if (seen.created !== undefined && seen.created !== (state.value === null)) return undefined;
  if (seen.revision === undefined) return { value, version, revision: state.revision + 1, exact: false };
  return seen.revision > state.revision
    ? { value, version, revision: seen.revision, exact: true }
    : undefined;
}

function afterGet(state: KvState, outcome: Outcome<KvOutput>): KvState | undefined {
  if (outcome.kind === 'unknown') return state;
  const { output } = outcome;
  if (output.kind === 'absent') return state.value === null ? state : undefined;
  if (output.kind !== 'row' || output.value !== state.value) return undefined;
  if (output.version !== undefined && output.version !== state.version) return undefined;
  return withRevision(state, output.revision);
}

function afterRefusal(
  state: KvState,
  conditions: KvConditions | undefined,
  seen: Extract<KvOutput, { kind: 'conditionFailed' }>,
): KvState | undefined {
  if (!mayFail(state, conditions)) return undefined;
  if (seen.version !== undefined && seen.version !== state.version) return undefined;
  const shown = withRevision(state, seen.revision);
  return shown !== undefined && mayFail(shown, conditions) ? shown : undefined;
}

function afterWrite(
  state: KvState,
  input: Exclude<KvInput, { op: 'get' }>,
  outcome: Outcome<KvOutput>,
): KvState | undefined {
  const output = outcome.kind === 'ok' ? outcome.output : (outcome.ifDone ?? UNSEEN_WRITE);
  if (output.kind === 'conditionFailed') return afterRefusal(state, input.conditions, output);
  const satisfied = satisfying(state, input.conditions);
  if (satisfied === undefined) return undefined;
  if (input.op === 'delete' && satisfied.value === null) {
    // Nothing was there to delete: an unanswered delete then did nothing.
    return output.kind === 'absent' || outcome.kind === 'unknown' ? satisfied : undefined;
  }
  return output.kind === 'written'
    ? write(satisfied, input.op === 'put' ? input.value : null, output)
    : undefined;
}

const UNSEEN_WRITE: KvOutput = { kind: 'written' };

/** Revisions only grow: an answer that names one cannot come after a higher one. */
function isTooLate(state: KvState, input: KvInput, outcome: Outcome<KvOutput>): boolean {
  if (outcome.kind === 'unknown' || outcome.output.kind === 'absent') return false;
  const { kind, revision = 0 } = outcome.output;
  if (revision === 0) return false;
  return kind === 'written' ? state.revision >= revision : state.revision > revision;
}

/** What stands for the value of an unanswered put that no read returned: which one it was makes no difference. */
const NEVER_READ = '(never read)';

/**
 * A put whose value is its own, and which a read returned, had the revision and version that the read returned: so its
 * place is known if it has one. Unanswered puts with values that no read returned are all alike.
 */
function sharpen(
  operations: readonly Operation<KvInput, KvOutput>[],
): readonly Operation<KvInput, KvOutput>[] {
  const putsOf = new Map<string, number>();
  const readOf = new Map<string, { revision?: number | undefined; version?: number | undefined }>();
  for (const { input, outcome } of operations) {
    if (input.op === 'put') putsOf.set(input.value, (putsOf.get(input.value) ?? 0) + 1);
    if (outcome.kind !== 'ok' || outcome.output.kind !== 'row') continue;
    const { value, revision, version } = outcome.output;
    if (!readOf.has(value)) readOf.set(value, { revision, version });
  }
  return operations.map((operation) => {
    const { input, outcome } = operation;
    if (input.op !== 'put' || outcome.kind === 'ok') return operation;
    const read = readOf.get(input.value);
    if (read === undefined) return { ...operation, input: { ...input, value: NEVER_READ } };
    if (putsOf.get(input.value) !== 1) return operation;
    return { ...operation, outcome: { kind: 'unknown', ifDone: { kind: 'written', ...read } } };
  });
}

function describeConditions(conditions: KvConditions = {}): string {
  const named = Object.entries(conditions).filter(([, value]) => value !== undefined && value !== false);
  return named.map(([name, value]) => (value === true ? ` ${name}` : ` ${name} ${value}`)).join('');
}

function describeRow(row: { revision?: number | undefined; version?: number | undefined }): string {
  return `(revision ${row.revision ?? '?'}, version ${row.version ?? '?'})`;
}

export const kvWithConditions: Model<KvState, KvInput, KvOutput> = {
  name: 'kv-with-conditions',
  initial: { value: null, version: 0, revision: 0, exact: true },
  step: (state, input, outcome) =>
    input.op === 'get' ? afterGet(state, outcome) : afterWrite(state, input, outcome),
  stateKey: ({ value, version, revision, exact }) =>
    `${version}/${revision}${exact ? '=' : '+'}${value === null ? '-' : `:${value}`}`,
  objectOf: (input) => input.key,
  isReadOnly: (input, outcome) =>
    input.op === 'get' || (outcome.kind === 'ok' && outcome.output.kind !== 'written'),
  isTooLate,
  sharpen,
  describeInput(input) {
    if (input.op === 'get') return `get ${input.key}`;
    const value = input.op === 'put' ? ` ${JSON.stringify(input.value)}` : '';
    return `${input.op} ${input.key}${value}${describeConditions(input.conditions)}`;
  },
  describeOutput(output) {
    if (output.kind === 'absent') return 'absent';
    const value = output.kind === 'row' ? JSON.stringify(output.value) : output.kind;
    return `${value} ${describeRow(output)}`;
  },
  describeState: ({ value, version, revision, exact }) =>
    `${value === null ? 'absent' : JSON.stringify(value)} (revision ${exact ? '' : '>= '}${revision}, version ${version})`,
};
