/**
 * The process's connection to NATS from before it exists until it is closed. Until NATS has answered for the first time
 * the process waits for it, and says so in its log and its probes; afterwards the client reconnects by itself.
 */
import { connectNats } from '@ringleader/nats';
import type { NatsLink, NatsLog, NatsOptions } from '@ringleader/nats';
import type { FatalErrors } from './fatal-errors.js';

export class NatsWaiting {
  #link: NatsLink | null = null;
  #trouble = 'no answer yet';
  readonly #abandoned = new AbortController();

  constructor(
    private readonly options: NatsOptions,
    private readonly log: NatsLog,
    private readonly fatal: FatalErrors,
  ) {}

  /** NATS has answered once; later it may be away again. */
  get isOver(): boolean {
    return this.#link !== null;
  }

  readonly notReadyReasons = (): readonly string[] => {
    if (this.#link === null) return [`it waits for NATS: ${this.#trouble}`];
    return this.#link.isConnected ? [] : ['there is no connection to NATS'];
  };

  /** Settles when NATS has answered, however long that takes; never, once closed. */
  readonly connect = async (): Promise<NatsLink> => {
    const { signal } = this.#abandoned;
    try {
      const link = await connectNats({ ...this.options, signal }, this.#listeningLog());
      this.#link = link;
      void link.ended.then((error) => {
        if (error !== null) this.fatal.report(error);
      });
      return link;
    } catch (error) {
      // The process is ending: nobody is to be given a connection any more.
      if (signal.aborted) return new Promise<never>(() => undefined);
      throw error;
    }
  };

  /** Harmless when there is no connection, or none yet. */
  async close(): Promise<void> {
    this.#abandoned.abort();
    await this.#link?.close();
  }

  /** What the log is told of failures is what the probes say. */
  #listeningLog(): NatsLog {
    const { log } = this;
    return {
      info: (fields, message) => log.info(fields, message),
      error: (fields, message) => log.error(fields, message),
      warn: (fields, message) => {
        const { error } = fields as { error?: unknown };
        if (this.#link === null && error instanceof Error) this.#trouble = error.message;
        log.warn(fields, message);
      },
    };
  }
}
