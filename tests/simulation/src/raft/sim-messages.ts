import type { Message } from '@ringleader/raft';

/** Appending needs no condition to show lost, repeated and reordered writes: the value tells its whole history. */
export type ClientOperation =
  | { readonly op: 'append'; readonly key: string; readonly value: string }
  | { readonly op: 'get'; readonly key: string };

export type MemberAnswer =
  | { readonly kind: 'appended' }
  | { readonly kind: 'value'; readonly value: string }
  /** Certainly not done, now or later. */
  | { readonly kind: 'unavailable' };

export type SimMessage =
  | { readonly kind: 'raft'; readonly message: Message }
  | { readonly kind: 'request'; readonly requestId: number; readonly operation: ClientOperation }
  | { readonly kind: 'answer'; readonly requestId: number; readonly answer: MemberAnswer };
