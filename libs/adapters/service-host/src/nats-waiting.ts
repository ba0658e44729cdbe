/**
 * The process's connections to NATS, one or two, from before they exist until they are closed. Until NATS has answered for the first time
 * the process waits for it, and says so in its log and its probes; afterwards the client reconnects by itself.
 */
import { NatsLinks, connectNats, connectNatsLinks } from '@ringleader/nats';
import type { NatsLog, NatsOptions } from '@ringleader/nats';
import type { FatalErrors } from './fatal-errors.js';

export class NatsWaiting {
  #links: NatsLinks | null = null;
  #trouble = 'no answer yet';
  readonly #abandoned = new AbortController();

  constructor(
    private readonly options: NatsOptions,
    private readonly log: NatsLog,
    private readonly fatal: FatalErrors,
    /** Then the process has a connection apart for it. */
    private readonly carriesBulk: boolean,
  ) {}

  /** NATS has answered once; later it may be away again. */
  get isOver(): boolean {
    return this.#links !== null;
  }

  readonly notReadyReasons = (): readonly string[] => {
    if (this.#links === null) return [`it waits for NATS: ${this.#trouble}`];
    if (this.#links.isConnected) return [];
    const { refusedBecause } = this.#links;
    const why = refusedBecause === null ? '' : `: it refuses this process (${refusedBecause})`;
    return [`there is no connection to NATS${why}`];
  };

  /** Settles when NATS has answered, however long that takes; never, once closed. */
  readonly connect = async (): Promise<NatsLinks> => {
    const { signal } = this.#abandoned;
    try {
      const links = await this.#connect({ ...this.options, signal });
      this.#links = links;
      void links.ended.then((error) => {
        if (error !== null) this.fatal.report(error);
      });
      return links;
    } catch (error) {
      // The process is ending: nobody is to be given a connection any more.
      if (signal.aborted) return new Promise<never>(() => undefined);
      throw error;
    }
  };

  /** Harmless when there is no connection, or none yet. */
  async close(): Promise<void> {
    this.#abandoned.abort();
    await this.#links?.close();
  }

  async #connect(options: NatsOptions): Promise<NatsLinks> {
    const log = this.#listeningLog();
    if (this.carriesBulk) return connectNatsLinks(options, log);
    const link = await connectNats(options, log);
    return new NatsLinks(link, link);
  }

  /** What the log is told of failures is what the probes say. */
  #listeningLog(): NatsLog {
    const { log } = this;
    const listen = (fields: object): void => {
      const { error } = fields as { error?: unknown };
      if (this.#links === null && error instanceof Error) this.#trouble = error.message;
    };
    return {
      info: (fields, message) => log.info(fields, message),
      error: (fields, message) => {
        listen(fields);
        log.error(fields, message);
      },
      warn: (fields, message) => {
        listen(fields);
        log.warn(fields, message);
      },
    };
  }
}
