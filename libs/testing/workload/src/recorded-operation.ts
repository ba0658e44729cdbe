/** One operation on one key as a client saw it: what was asked, when, and what came of it. */
export type RecordedCondition =
  | { readonly kind: 'ifRevision'; readonly revision: number }
  | { readonly kind: 'ifAbsent' }
  | { readonly kind: 'ifPresent' };

export type RecordedRequest =
  | { readonly kind: 'put'; readonly value: string; readonly condition: RecordedCondition | null }
  | { readonly kind: 'delete'; readonly condition: RecordedCondition | null }
  | { readonly kind: 'get' };

export type RecordedOutcome =
  | {
      readonly kind: 'written';
      readonly revision: number;
      readonly version: number;
      readonly created: boolean;
    }
  | { readonly kind: 'deleted' }
  | { readonly kind: 'found'; readonly value: string; readonly revision: number }
  | { readonly kind: 'absent' }
  /** `revision` is the present one, 0 where the key does not exist. */
  | { readonly kind: 'conditionFailed'; readonly revision: number }
  /** Nothing was done, for certain. */
  | { readonly kind: 'refused'; readonly code: string }
  /** It may take effect at any time from its invocation on, or never. */
  | { readonly kind: 'unknown'; readonly code: string };

export interface RecordedOperation {
  readonly process: number;
  readonly key: string;
  readonly request: RecordedRequest;
  /** Monotonic milliseconds of the recording process. */
  readonly invokedAtMs: number;
  readonly completedAtMs: number;
  readonly outcome: RecordedOutcome;
}
