/**
 * The one connection of a process to NATS. It reconnects for ever: NATS is transport only, and whoever waits for an
 * answer has a deadline of its own.
 */
import { connect } from '@nats-io/transport-node';
import type { NatsConnection } from '@nats-io/nats-core';

export interface NatsOptions {
  /** e.g. nats://127.0.0.1:4222 */
  readonly url: string;
  /** Shown by nats-server's monitoring: the member's id. */
  readonly name: string;
}

export function connectNats(options: NatsOptions): Promise<NatsConnection> {
  return connect({
    servers: options.url,
    name: options.name,
    // Halves the client's cost: it would otherwise capture a stack trace for each publish.
    noAsyncTraces: true,
    waitOnFirstConnect: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 200,
    reconnectJitter: 100,
    // A dead server that leaves the socket open is noticed after two missed pings.
    pingInterval: 5_000,
    maxPingOut: 2,
    // A shard's messages to itself do not exist, and a heartbeat heard from oneself proves nothing.
    ignoreClusterUpdates: true,
  });
}

export type { NatsConnection, Subscription } from '@nats-io/nats-core';
