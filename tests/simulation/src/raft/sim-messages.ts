import type {
  Command,
  CommandResult,
  LeaseId,
  RangeOutcome,
  RangeQuery,
  StoreRevision,
  TxnCommand,
  WatchEvent,
  WatchOutcome,
  WatchPosition,
  WatchQuery,
} from '@ringleader/mvcc';

/** Appending needs no condition to show lost, repeated and reordered writes: the value tells its whole history. */
export type LoggedOperation =
  | { readonly op: 'append'; readonly key: string; readonly value: string }
  | { readonly op: 'command'; readonly command: Command };

/** What shows no less than was acknowledged before it was asked. */
export type ReadOperation =
  | { readonly op: 'get'; readonly key: string }
  | { readonly op: 'range'; readonly query: RangeQuery }
  /** A transaction that changes nothing. */
  | { readonly op: 'evaluate'; readonly command: TxnCommand }
  /** Only who leads can. */
  | { readonly op: 'keepAlive'; readonly lease: LeaseId };

export type ClientOperation =
  | LoggedOperation
  | ReadOperation
  /** Answered at once by what the member has. */
  | { readonly op: 'watch'; readonly query: WatchQuery };

/** `revision` is that of the store that answers. */
export type MemberAnswer =
  | { readonly kind: 'appended' }
  | { readonly kind: 'value'; readonly value: string }
  | { readonly kind: 'result'; readonly result: CommandResult }
  | { readonly kind: 'range'; readonly outcome: RangeOutcome; readonly revision: StoreRevision }
  /** Null where there is no such lease, or none for long. */
  | { readonly kind: 'kept'; readonly ttlMs: number | null }
  | { readonly kind: 'watched'; readonly outcome: WatchOutcome; readonly revision: StoreRevision }
  /** Certainly not done, now or later. */
  | { readonly kind: 'unavailable' };

export type Watched = Omit<WatchQuery, 'from' | 'eventsMax' | 'sizeBytesMax'>;

export interface Frame {
  readonly number: number;
  readonly events: readonly WatchEvent[];
  readonly next: WatchPosition;
  /** Of the store, where all of it has been pushed. */
  readonly progress: StoreRevision | null;
  /** Null but where this is the end. */
  readonly compacted: StoreRevision | null;
}

export type SimMessage =
  /** To be pushed to, and not any more. */
  | {
      readonly kind: 'follow';
      readonly stream: number;
      readonly watched: Watched;
      readonly from: WatchPosition;
    }
  | { readonly kind: 'leave'; readonly stream: number }
  | { readonly kind: 'pushed'; readonly stream: number; readonly frame: Frame }
  /** In the form in which it travels. */
  | { readonly kind: 'raft'; readonly frame: Uint8Array }
  | { readonly kind: 'request'; readonly requestId: number; readonly operation: ClientOperation }
  | { readonly kind: 'answer'; readonly requestId: number; readonly answer: MemberAnswer };
