import { reserveEnvelope, subjects } from '@ringleader/contracts';
import type { FrameRefusal } from '@ringleader/contracts';
import { isThere, type NatsLink, type Subscription } from '@ringleader/nats';
import {
  decodeFrame,
  encodeFrames,
  encodeIntroduction,
  type Introduction,
  type Message,
  type Seat,
} from '@ringleader/raft';
import type { RaftReceiver, RaftTransport } from './raft-node.js';

/** A frame is closed once it exceeds this; an Append or a chunk adds at most a megabyte, so that it stays below 4 MiB. */
const frameSizeBytesMax = 2 * 1024 * 1024;

/** Binary frames over publish/subscribe: one per destination and turn. */
export class NatsRaftTransport implements RaftTransport {
  readonly #link: NatsLink;
  readonly #cluster: string;
  readonly #seat: Seat;
  #receiver: RaftReceiver | null = null;
  #subscription: Subscription | null = null;
  #isClosed = false;

  constructor(link: NatsLink, cluster: string, seat: Seat) {
    this.#link = link;
    this.#cluster = cluster;
    this.#seat = seat;
  }

  send(to: Seat, messages: readonly Message[]): void {
    this.#publish(to, encodeFrames(messages, frameSizeBytesMax, reserveEnvelope));
  }

  introduce(to: Seat, introduction: Introduction): void {
    this.#publish(to, [encodeIntroduction(introduction, reserveEnvelope)]);
  }

  receive(receiver: RaftReceiver): void {
    this.#receiver = receiver;
    const subject = subjects.raft.to(this.#cluster, this.#seat);
    this.#subscription ??= this.#link.frames.subscribe('raft', subject, (content, speaker) =>
      this.#take(content, speaker),
    );
  }

  isThere(seat: Seat): Promise<boolean> {
    const speaker = { service: 'coordinator', member: this.#seat } as const;
    return isThere(this.#link, subjects.ask.from(this.#cluster, speaker, seat, 'status'));
  }

  close(): void {
    this.#subscription?.unsubscribe();
    this.#isClosed = true;
  }

  #take(content: Uint8Array, speaker: string): FrameRefusal | null {
    const frame = decodeFrame(content);
    if (frame.kind === 'malformed') return this.#refuse('malformed', frame.reason);
    if (frame.kind === 'messages') this.#receiver?.messages(frame.messages, Number(speaker));
    else if (String(frame.introduction.seat) === speaker) this.#receiver?.introduction(frame.introduction);
    else return this.#refuse('misattributed', `seat ${speaker} introduces another`);
    return null;
  }

  #refuse(refusal: FrameRefusal, reason: string): FrameRefusal {
    this.#receiver?.malformed(reason);
    return refusal;
  }

  #publish(to: Seat, frames: readonly Uint8Array[]): void {
    if (this.#isClosed) return;
    const subject = subjects.raft.from(this.#cluster, { service: 'coordinator', member: this.#seat }, to);
    for (const frame of frames)
      this.#link.frames.publish(subject, frame, { service: 'coordinator', member: to });
  }
}
