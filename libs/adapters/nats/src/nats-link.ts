/**
 * The one place that follows what becomes of a connection: whether it stands, to which server, what was refused. Whoever
 * needs to know asks here or listens here.
 */
import { errors } from '@nats-io/nats-core';
import type { MsgHdrs, NatsConnection, Payload, Status, Subscription } from '@nats-io/nats-core';
import { WIRE_VERSION } from '@ringleader/contracts';
import type { OperationalError, WireVersion } from '@ringleader/contracts';
import { FrameWire, type Listening, type Understanding } from './frame-wire.js';
import { isRefusal, refusalOfPayloads, toNatsError } from './nats-errors.js';
import { Isolation } from './isolation.js';
import { ServerWatch } from './server-watch.js';
import type { PingSettings } from './server-watch.js';

/** A logger of pino's form. */
export interface NatsLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface NatsCounts {
  /** The connection broke, for whatever reason. */
  disconnects: number;
  reconnects: number;
  /** Of the disconnects: the server did not answer pings in time. */
  stale: number;
  /** The server gave this process up because it did not read fast enough, or a subscription's queue is too long. */
  slowConsumers: number;
  /** Publishes and subscriptions that the server refused. */
  permissionViolations: number;
  otherErrors: number;
  /** Messages that were not sent because there was no connection. */
  dropped: number;
}

/** Of a process, by its servers, since one took it last. */
export class Refusals {
  count = 0;
  /** The last one, in the server's words. */
  reason: string | null = null;

  constructor(
    /** Whether it tries on. */
    readonly areBorne: boolean,
  ) {}

  add(reason: string): void {
    this.count += 1;
    this.reason = reason;
  }

  none(): void {
    this.count = 0;
    this.reason = null;
  }
}

export interface LinkOptions {
  /** Absent: the server is not watched. */
  readonly pings?: PingSettings;
  readonly inboxPrefix?: string;
  /** The highest that is spoken and understood. */
  readonly wireVersion?: WireVersion;
  /** What other members understand, by name: all connections of a process learn it for each other. */
  readonly understood?: Map<string, Understanding>;
  readonly refusals?: Refusals;
  /** The list: of one there is nowhere else to go. */
  readonly servers?: readonly string[];
  /** What is heard on any connection of a process counts. */
  readonly isolation?: Isolation;
}

const INBOX = '_INBOX.';
/** Each forbidden subject is logged once; beyond so many, only counted. */
const SUBJECTS_LOGGED_MAX = 100;

export class NatsLink {
  readonly counts: NatsCounts = {
    disconnects: 0,
    reconnects: 0,
    stale: 0,
    slowConsumers: 0,
    permissionViolations: 0,
    otherErrors: 0,
    dropped: 0,
  };
  /**
   * Settles when the connection is closed and will not come back: with null after `close`, with the reason when it was
   * not asked for. A process cannot go on then.
   */
  readonly ended: Promise<OperationalError | null>;
  /** Where answers to this process go. */
  readonly inboxPrefix: string | undefined;
  /** Binary frames over this connection. */
  readonly frames: FrameWire;
  private connected = true;
  private isClosing = false;
  /** Of the server that it has come to. */
  private refusal: OperationalError | null = null;
  private readonly listeners = new Set<(isConnected: boolean) => void>();
  private readonly subjectsLogged = new Set<string>();
  private watchTimer: NodeJS.Timeout | null = null;
  private readonly refusals: Refusals;
  private readonly isolation: Isolation;
  private readonly hasOtherServers: boolean;
  /** What the subjects begin with by which it speaks itself. */
  private readonly ownSubjects: string | null;

  constructor(
    /** Which of the process's connections: in logs and metrics. */
    readonly lane: string,
    readonly connection: NatsConnection,
    private readonly log: NatsLog,
    options: LinkOptions = {},
  ) {
    const {
      inboxPrefix,
      wireVersion = WIRE_VERSION,
      understood = new Map<string, Understanding>(),
      pings,
    } = options;
    this.refusals = options.refusals ?? new Refusals(false);
    this.isolation = options.isolation ?? new Isolation();
    this.hasOtherServers = (options.servers?.length ?? 0) > 1;
    this.inboxPrefix = inboxPrefix;
    this.ownSubjects = inboxPrefix === undefined ? null : `${inboxPrefix.slice(INBOX.length)}.`;
    this.frames = new FrameWire(this, wireVersion, understood);
    this.ended = connection.closed().then((reason) => this.end(reason));
    void this.follow();
    if (pings !== undefined) this.watch(pings);
  }

  get isConnected(): boolean {
    return this.connected && !this.connection.isClosed();
  }

  /** Why its servers do not take it back, while they say no. */
  get refusedBecause(): string | null {
    return this.isConnected ? null : this.refusals.reason;
  }

  /** host:port of the server, or of the last one. */
  get server(): string {
    return this.connection.getServer();
  }

  /** Returns what ends it. */
  onChange(listener: (isConnected: boolean) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /**
   * For what is of no use when it is late. The client would keep it while it has no connection, without a bound, for who
   * no longer waits. False when it was dropped.
   */
  publish(subject: string, payload?: Payload, headers?: MsgHdrs): boolean {
    if (!this.isConnected) {
      this.counts.dropped += 1;
      return false;
    }
    this.connection.publish(subject, payload, headers === undefined ? undefined : { headers });
    return true;
  }

  /**
   * What the callback throws ends the process, as it does anywhere else. The client calls it while it reads: thrown there, it would end the
   * reading and nothing else, and a process whose invariant is broken would live on, deaf until it misses the answers to its pings.
   */
  subscribe(subject: string, { callback, ...options }: Listening): Subscription {
    return this.connection.subscribe(subject, {
      ...options,
      callback: (error, message) => {
        try {
          return callback(error, message);
        } catch (thrown) {
          queueMicrotask(() => {
            throw thrown;
          });
        }
      },
    });
  }

  /** To be told by what subject something came: whoever hears others is not alone at its server. */
  hear(subject: string): void {
    if (this.ownSubjects === null || !subject.startsWith(this.ownSubjects)) this.isolation.heard();
  }

  /** What became of a call to a coordinator: it was answered, somebody has it, or nobody was there to take it. */
  noteCall(outcome: 'answered' | 'taken' | 'nobody'): void {
    if (outcome === 'answered') this.isolation.served();
    else if (outcome === 'taken') this.isolation.heard();
    else if (this.isConnected && this.hasOtherServers && this.isolation.unservedAt(performance.now()))
      this.leaveServer('Neither coordinators nor other members are heard at the nats-server; trying another');
  }

  async close(): Promise<void> {
    this.isClosing = true;
    await this.connection.close();
  }

  private watch({ intervalMs, unansweredMax }: PingSettings): void {
    const { connection } = this;
    const server = {
      messages: (): number => connection.stats().inMsgs,
      ping: (): Promise<void> => connection.flush(),
      giveUp: (): void => {
        this.counts.stale += 1;
        this.leaveServer('The nats-server does not answer');
      },
    };
    const watch = new ServerWatch(server, unansweredMax);
    this.watchTimer = setInterval(() => {
      if (this.isConnected) watch.look();
    }, intervalMs).unref();
  }

  private leaveServer(why: string): void {
    const { lane, log } = this;
    log.warn({ lane, server: this.server }, why);
    this.connection.reconnect().catch((error: unknown) => {
      log.warn({ lane, error }, 'The nats-server could not be left');
    });
  }

  private end(reason: void | Error): OperationalError | null {
    if (this.watchTimer !== null) clearInterval(this.watchTimer);
    this.change(false);
    if (this.isClosing) return null;
    const cause = this.refusal ?? reason ?? new Error('the client closed the connection');
    const error = toNatsError(cause, [this.server]);
    this.log.error({ lane: this.lane, code: error.code, error }, 'The connection to NATS is closed for good');
    return error;
  }

  private async follow(): Promise<void> {
    for await (const status of this.connection.status()) this.take(status);
  }

  private take(status: Status): void {
    const { lane, counts, log } = this;
    switch (status.type) {
      case 'disconnect':
        if (this.isClosing) return;
        counts.disconnects += 1;
        log.warn({ lane, server: status.server }, 'The connection to NATS broke');
        return this.change(false);
      case 'reconnect':
        counts.reconnects += 1;
        this.refusals.none();
        this.refusal = refusalOfPayloads(status.server, this.connection.info?.max_payload);
        if (this.refusal !== null) return void this.connection.close();
        log.info({ lane, server: status.server }, 'Connected to NATS again');
        return this.change(true);
      case 'slowConsumer':
        counts.slowConsumers += 1;
        return log.warn(
          { lane, subject: status.sub.getSubject(), pending: status.pending },
          'A subscription is too slow',
        );
      case 'update':
        return log.info(
          { lane, added: status.added, deleted: status.deleted },
          'The list of nats-servers changed',
        );
      case 'ldm':
        return log.info({ lane, server: status.server }, 'The nats-server is about to stop');
      case 'error':
        return this.takeError(status.error);
      // The library's own pings are as good as off (connection.ts).
      case 'staleConnection':
      case 'ping':
      case 'reconnecting':
      case 'forceReconnect':
      case 'close':
        return;
    }
  }

  private takeError(error: Error): void {
    const { lane, counts, log, server } = this;
    if (error instanceof errors.PermissionViolationError) {
      counts.permissionViolations += 1;
      const { operation, subject } = error;
      const name = `${operation} ${subject}`;
      if (this.subjectsLogged.has(name) || this.subjectsLogged.size >= SUBJECTS_LOGGED_MAX) return;
      this.subjectsLogged.add(name);
      log.error({ lane, server, operation, subject }, 'NATS does not allow this; see the permissions file');
      return;
    }
    if (isRefusal(error)) this.refusals.add(error.message);
    if (/slow consumer/i.test(error.message)) counts.slowConsumers += 1;
    else counts.otherErrors += 1;
    log.warn({ lane, server, error }, 'The nats-server reports an error');
  }

  private change(isConnected: boolean): void {
    if (this.connected === isConnected) return;
    this.connected = isConnected;
    // It has to be found out anew at each server.
    this.isolation.heard();
    for (const listener of this.listeners) listener(isConnected);
  }
}

/** For tests, which look at what happens and not at what is said about it. */
export const UNLOGGED: NatsLog = {
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
