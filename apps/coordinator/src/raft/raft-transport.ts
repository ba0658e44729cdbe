import type { Message } from '@ringleader/raft';

/** What carries messages between members: may lose, repeat and reorder them, and never waits. */
export interface RaftTransport {
  /** All of one turn. */
  send(messages: readonly Message[]): void;
  /** Called once. `malformed` gets the reason for a frame that is thrown away. */
  receive(onMessages: (messages: readonly Message[]) => void, malformed: (reason: string) => void): void;
  close(): void;
}
