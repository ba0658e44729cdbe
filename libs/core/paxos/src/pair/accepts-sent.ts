/**
 * The Accepts on their way to each peer, of all partitions together: gathered within a turn, sent as few messages, and
 * remembered by their number until the peer has answered, for its answer names nothing else.
 */
import type { Incarnation, ShardOrdinal } from '@ringleader/primitives';
import type { Accept, Accepts, OutgoingMessage } from '../messages.js';
import type { AcceptRules } from '../rules/accept-rules.js';

interface Gathered {
  readonly lists: Accept[][];
  /** Of the last list. */
  bytes: number;
  /** Those that must wait behind what waits already: each for itself, or the others would wait with it. */
  readonly held: Accept[][];
}

/** All that the answer to a batch is about: its rows may be large, and the answer may not come. */
export type SentAccept = Pick<Accept, 'partition' | 'epoch' | 'ballot' | 'next'>;

interface Sent {
  readonly batches: readonly SentAccept[];
  readonly at: number;
}

/** Where a message is closed, so that others can come in between. */
const MESSAGE_BYTES = 256 * 1_024;
/** A peer that has not answered by then is asked again partition by partition; its answer would change nothing. */
const REMEMBERED_MS = 30_000;
/**
 * Shards number apart from each other: an answer names no receiver, and one that came to the wrong shard would else
 * acknowledge what was never received.
 */
const NUMBER_STEP = 4_096;

export class AcceptsSent {
  private gathered = new Map<ShardOrdinal, Gathered>();
  private readonly sent = new Map<ShardOrdinal, Map<number, Sent>>();
  private last: number;

  constructor(
    private readonly rules: AcceptRules,
    private readonly incarnation: Incarnation,
    ordinal: ShardOrdinal,
  ) {
    this.last = (ordinal % NUMBER_STEP) - NUMBER_STEP;
  }

  gather(peer: ShardOrdinal, batch: Accept, { bytes, isHeld }: { bytes: number; isHeld: boolean }): void {
    let gathered = this.gathered.get(peer);
    if (gathered === undefined) {
      gathered = { lists: [], bytes: 0, held: [] };
      this.gathered.set(peer, gathered);
    }
    if (isHeld) {
      gathered.held.push([batch]);
      return;
    }
    const list = gathered.lists.at(-1);
    if (list === undefined || gathered.bytes + bytes > MESSAGE_BYTES) {
      gathered.lists.push([batch]);
      gathered.bytes = bytes;
    } else {
      list.push(batch);
      gathered.bytes += bytes;
    }
  }

  /** What was gathered. Peers that get the same share one list, which then has to be encoded once. */
  take(now: number): OutgoingMessage[] {
    const messages: OutgoingMessage[] = [];
    const shared: Accept[][] = [];
    for (const [peer, { lists, held }] of this.gathered) {
      for (const list of [...lists, ...held]) {
        const same = shared.find((other) => isSame(other, list));
        if (same === undefined) shared.push(list);
        messages.push({ to: peer, message: this.send(peer, same ?? list, now) });
      }
    }
    if (messages.length > 0) this.gathered = new Map();
    return messages;
  }

  /** The batches that the answer is about; null where it answers another life, or was had before. */
  settle(peer: ShardOrdinal, answer: { holder: Incarnation; number: number }): readonly SentAccept[] | null {
    const sent = this.sent.get(peer);
    const message = sent?.get(answer.number);
    if (
      sent === undefined ||
      message === undefined ||
      !this.rules.answersLife(answer.holder, this.incarnation)
    )
      return null;
    sent.delete(answer.number);
    return message.batches;
  }

  forgetOld(now: number): void {
    for (const sent of this.sent.values()) {
      for (const [number, { at }] of sent) {
        if (now - at < REMEMBERED_MS) break;
        sent.delete(number);
      }
    }
  }

  private send(peer: ShardOrdinal, batches: readonly Accept[], now: number): Accepts {
    this.last += NUMBER_STEP;
    let sent = this.sent.get(peer);
    if (sent === undefined) {
      sent = new Map();
      this.sent.set(peer, sent);
    }
    sent.set(this.last, { batches: batches.map(withoutRows), at: now });
    return {
      kind: 'accepts',
      incarnation: this.incarnation,
      number: this.last,
      lease: { sentAt: now },
      batches,
    };
  }
}

function withoutRows({ partition, epoch, ballot, next }: Accept): SentAccept {
  return { partition, epoch, ballot, next };
}

function isSame(a: readonly Accept[], b: readonly Accept[]): boolean {
  return a.length === b.length && a.every((batch, index) => batch === b[index]);
}
