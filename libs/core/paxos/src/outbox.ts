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

const BULK_KINDS: ReadonlySet<ShardMessage['kind']> = new Set([
  'accepts',
  'delta',
  'page',
  'finish',
  'rowTold',
  'mend',
]);

/** What may leave the core now. What must wait for the storage is held by the transaction builder. */
export class Outbox {
  private messages: OutgoingMessage[] = [];
  /** What carries rows, and so may be long: behind the rest. */
  private bulk: OutgoingMessage[] = [];
  private replies: ShardReply[] = [];
  private events: PaxosEvent[] = [];
  private removals: GenerationRemoval[] = [];

  send(to: ShardOrdinal, message: ShardMessage): void {
    if (BULK_KINDS.has(message.kind)) this.bulk.push({ to, message });
    else this.messages.push({ to, message });
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
    const { bulk, replies, events, removals } = this;
    const messages = bulk.length === 0 ? this.messages : [...this.messages, ...bulk];
    this.messages = [];
    if (bulk.length > 0) this.bulk = [];
    this.replies = [];
    this.events = [];
    this.removals = [];
    return { messages, replies, events, removals };
  }
}
