import type { NatsConnection, Subscription } from '@nats-io/nats-core';
import { raftSubject } from '@ringleader/contracts';
import type { MemberId } from '@ringleader/primitives';
import { decodeFrame, encodeFrames, type Message } from '@ringleader/raft';
import type { RaftTransport } from './raft-transport.js';

/** A frame is closed once it exceeds this; an Append or a chunk adds at most a megabyte, so that it stays below 4 MiB. */
const frameSizeBytesMax = 2 * 1024 * 1024;

/** Binary frames over publish/subscribe: one per destination and turn. */
export class NatsRaftTransport implements RaftTransport {
  readonly #connection: NatsConnection;
  readonly #cluster: string;
  readonly #member: MemberId;
  #subscription: Subscription | null = null;
  #isConnected = true;

  constructor(connection: NatsConnection, cluster: string, member: MemberId) {
    this.#connection = connection;
    this.#cluster = cluster;
    this.#member = member;
    void this.#followStatus();
  }

  send(messages: readonly Message[]): void {
    // The client would keep them until it is connected again, when they are of no use to anybody.
    if (!this.#isConnected || this.#connection.isClosed()) return;
    for (const [to, group] of Map.groupBy(messages, (message) => message.to)) {
      for (const frame of encodeFrames(group, frameSizeBytesMax)) {
        this.#connection.publish(raftSubject(this.#cluster, to), frame);
      }
    }
  }

  receive(onMessages: (messages: readonly Message[]) => void, malformed: (reason: string) => void): void {
    this.#subscription = this.#connection.subscribe(raftSubject(this.#cluster, this.#member), {
      callback: (error, { data }) => {
        if (error !== null) return malformed(error.message);
        const frame = decodeFrame(data);
        if (frame.kind === 'malformed') malformed(frame.reason);
        else onMessages(frame.messages);
      },
    });
  }

  close(): void {
    this.#subscription?.unsubscribe();
    this.#isConnected = false;
  }

  async #followStatus(): Promise<void> {
    for await (const status of this.#connection.status()) {
      if (status.type === 'disconnect') this.#isConnected = false;
      if (status.type === 'reconnect') this.#isConnected = true;
    }
  }
}
