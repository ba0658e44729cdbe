import type { Introduction, Message, Seat } from '@ringleader/raft';

export interface RaftReceiver {
  /** `from` is whose they are, as the transport vouches for it: what a message says itself must fit. */
  messages(messages: readonly Message[], from: Seat): void;
  introduction(introduction: Introduction): void;
  /** The reason for a frame that is thrown away. */
  malformed(reason: string): void;
}

/** What carries messages between members: may lose, repeat and reorder them, and never waits. */
export interface RaftTransport {
  /** All of one turn for one member. */
  send(to: Seat, messages: readonly Message[]): void;
  introduce(to: Seat, introduction: Introduction): void;
  /** From now on it gets what comes, in place of the receiver before. */
  receive(receiver: RaftReceiver): void;
  close(): void;
}
