/**
 * Messages between nodes by number: delayed, lost, repeated and overtaken as each link's quality says, and cut in one
 * direction or both. Delays are drawn per message, so reordering needs no rule of its own.
 */
import type { Prng } from '@ringleader/primitives';
import type { EventQueue } from './event-queue.js';
import type { Trace } from './trace.js';

export type NodeId = number;

/**
 * How a message travels: called when it is sent; what it gives back is called for each receiver, and must not share
 * anything that one of them could change with another.
 */
export type Carry<Message> = (from: NodeId, message: Message) => () => Message;

export interface Transport<Message> {
  readonly deliver: (from: NodeId, to: NodeId, message: Message) => void;
  /** Left out, receivers get the object that was sent. */
  readonly carry?: Carry<Message> | undefined;
}

export interface LinkQuality {
  readonly delayMinMs: number;
  readonly delayMaxMs: number;
  /** Probability of a delay up to `tailDelayMs` instead: late messages are what protocols forget. */
  readonly tailProbability: number;
  readonly tailDelayMs: number;
  readonly lossProbability: number;
  readonly duplicateProbability: number;
}

export const GOOD_LINK: LinkQuality = {
  delayMinMs: 0.2,
  delayMaxMs: 2,
  tailProbability: 0,
  tailDelayMs: 0,
  lossProbability: 0,
  duplicateProbability: 0,
};

export class Network<Message> {
  readonly #events: EventQueue;
  readonly #prng: Prng;
  readonly #trace: Trace;
  readonly #deliver: (from: NodeId, to: NodeId, message: Message) => void;
  readonly #carry: Carry<Message>;
  readonly #links = new Map<string, LinkQuality>();
  readonly #cuts = new Map<string, number>();
  #quality: LinkQuality = GOOD_LINK;
  #passes: ((from: NodeId, to: NodeId, message: Message) => boolean) | null = null;

  constructor(
    events: EventQueue,
    prng: Prng,
    trace: Trace,
    { deliver, carry = (_from, message) => () => message }: Transport<Message>,
  ) {
    this.#carry = carry;
    this.#events = events;
    this.#prng = prng;
    this.#trace = trace;
    this.#deliver = deliver;
  }

  /** For all links that have none of their own. */
  setQuality(quality: LinkQuality): void {
    this.#quality = quality;
  }

  setLinkQuality(from: NodeId, to: NodeId, quality: LinkQuality | null): void {
    if (quality === null) this.#links.delete(linkKey(from, to));
    else this.#links.set(linkKey(from, to), quality);
  }

  /** One direction. Cuts are counted: a link works when every cut was healed. What is under way arrives. */
  cut(from: NodeId, to: NodeId): void {
    const key = linkKey(from, to);
    this.#cuts.set(key, (this.#cuts.get(key) ?? 0) + 1);
  }

  heal(from: NodeId, to: NodeId): void {
    const key = linkKey(from, to);
    this.#cuts.set(key, Math.max(0, (this.#cuts.get(key) ?? 0) - 1));
  }

  /** For scripts: what it says no to is lost. */
  setFilter(passes: ((from: NodeId, to: NodeId, message: Message) => boolean) | null): void {
    this.#passes = passes;
  }

  /** No cuts, no filter, good links everywhere. */
  healAll(): void {
    this.#cuts.clear();
    this.#links.clear();
    this.#passes = null;
    this.#quality = GOOD_LINK;
  }

  isCut(from: NodeId, to: NodeId): boolean {
    return (this.#cuts.get(linkKey(from, to)) ?? 0) > 0;
  }

  send(from: NodeId, to: NodeId, message: Message): void {
    const quality = this.#links.get(linkKey(from, to)) ?? this.#quality;
    const blocked = this.isCut(from, to) || this.#passes?.(from, to, message) === false;
    if (blocked || this.#prng.nextFloat() < quality.lossProbability) {
      this.#trace.add(this.#events.now, `lost ${String(from)}>${String(to)}`, message);
      return;
    }
    const receive = this.#carry(from, message);
    this.#sendOnce(from, to, receive, quality);
    if (quality.duplicateProbability > 0 && this.#prng.nextFloat() < quality.duplicateProbability) {
      this.#sendOnce(from, to, receive, quality);
    }
  }

  #sendOnce(from: NodeId, to: NodeId, receive: () => Message, quality: LinkQuality): void {
    this.#events.after(this.#drawDelay(quality), () => {
      this.#deliver(from, to, receive());
    });
  }

  #drawDelay(quality: LinkQuality): number {
    const late = quality.tailProbability > 0 && this.#prng.nextFloat() < quality.tailProbability;
    const max = late ? quality.tailDelayMs : quality.delayMaxMs;
    return quality.delayMinMs + this.#prng.nextFloat() * Math.max(0, max - quality.delayMinMs);
  }
}

function linkKey(from: NodeId, to: NodeId): string {
  return `${String(from)}>${String(to)}`;
}
