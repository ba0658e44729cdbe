import type { PartitionIndex, ShardOrdinal } from '@ringleader/primitives';
import type { OutgoingMessage, ShardMessage } from './messages.js';
import type { PaxosEvent } from './ready.js';
import type { ShardReply } from './requests.js';
import type { GenerationRemoval } from './storage.js';

export interface OutboxContents {
  readonly messages: OutgoingMessage[];
  readonly replies: ShardReply[];
  readonly events: PaxosEvent[];
  readonly removals: GenerationRemoval[];
}

/** What may leave the core now. What must wait for the storage is held by the transaction builder. */
export class Outbox {
  private messages: OutgoingMessage[] = [];
  private replies: ShardReply[] = [];
  private events: PaxosEvent[] = [];
  private removals: GenerationRemoval[] = [];

  send(to: ShardOrdinal, message: ShardMessage): void {
    this.messages.push({ to, message });
  }

  reply(reply: ShardReply): void {
    this.replies.push(reply);
  }

  event(event: PaxosEvent): void {
    this.events.push(event);
  }

  removeGeneration(partition: PartitionIndex, generation: number): void {
    this.removals.push({ partition, generation });
  }

  take(): OutboxContents {
    const { messages, replies, events, removals } = this;
    this.messages = [];
    this.replies = [];
    this.events = [];
    this.removals = [];
    return { messages, replies, events, removals };
  }
}
