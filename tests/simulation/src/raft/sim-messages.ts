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
  /** In the form in which it travels. */
  | { readonly kind: 'raft'; readonly frame: Uint8Array }
  | { readonly kind: 'request'; readonly requestId: number; readonly operation: ClientOperation }
  | { readonly kind: 'answer'; readonly requestId: number; readonly answer: MemberAnswer };
