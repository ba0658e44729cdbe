import type { NatsConnection, Subscription } from '@nats-io/nats-core';
import { raftSubject } from '@ringleader/contracts';
import {
  decodeFrame,
  encodeFrames,
  encodeIntroduction,
  type Introduction,
  type Message,
  type Seat,
} from '@ringleader/raft';
import type { RaftReceiver, RaftTransport } from './raft-transport.js';

/** A frame is closed once it exceeds this; an Append or a chunk adds at most a megabyte, so that it stays below 4 MiB. */
const frameSizeBytesMax = 2 * 1024 * 1024;

/** Binary frames over publish/subscribe: one per destination and turn. */
export class NatsRaftTransport implements RaftTransport {
  readonly #connection: NatsConnection;
  readonly #cluster: string;
  readonly #seat: Seat;
  #receiver: RaftReceiver | null = null;
  #subscription: Subscription | null = null;
  #isConnected = true;

  constructor(connection: NatsConnection, cluster: string, seat: Seat) {
    this.#connection = connection;
    this.#cluster = cluster;
    this.#seat = seat;
    void this.#followStatus();
  }

  send(to: Seat, messages: readonly Message[]): void {
    this.#publish(to, encodeFrames(messages, frameSizeBytesMax));
  }

  introduce(to: Seat, introduction: Introduction): void {
    this.#publish(to, [encodeIntroduction(introduction)]);
  }

  receive(receiver: RaftReceiver): void {
    this.#receiver = receiver;
    this.#subscription ??= this.#connection.subscribe(raftSubject(this.#cluster, this.#seat), {
      callback: (error, { data }) => {
        if (error !== null) this.#receiver?.malformed(error.message);
        else this.#take(data);
      },
    });
  }

  close(): void {
    this.#subscription?.unsubscribe();
    this.#isConnected = false;
  }

  #take(data: Uint8Array): void {
    const frame = decodeFrame(data);
    if (frame.kind === 'malformed') this.#receiver?.malformed(frame.reason);
    else if (frame.kind === 'introduction') this.#receiver?.introduction(frame.introduction);
    else this.#receiver?.messages(frame.messages);
  }

  #publish(to: Seat, frames: readonly Uint8Array[]): void {
    // The client would keep them until it is connected again, when they are of no use to anybody.
    if (!this.#isConnected || this.#connection.isClosed()) return;
    for (const frame of frames) this.#connection.publish(raftSubject(this.#cluster, to), frame);
  }

  async #followStatus(): Promise<void> {
    for await (const status of this.#connection.status()) {
      if (status.type === 'disconnect') this.#isConnected = false;
      if (status.type === 'reconnect') this.#isConnected = true;
    }
  }
}
