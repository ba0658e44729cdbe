/**
 * One connection for statements that run thousands of times a second, past the ORM and past its pool: prepared, rows as
 * arrays of text that the repository decodes itself. Statements run one at a time in the order of the calls.
 */
import { Socket } from 'node:net';
import { OperationalError } from '@ringleader/contracts';
import pg from 'pg';
import { sayGoodbye } from './goodbye.js';
import { translatePostgresError } from './postgres-error.js';
import { sessionSettings } from './session-settings.js';

export interface Statement {
  /** Unique among the statements of a connection. */
  readonly name: string;
  readonly text: string;
}

export type Parameter = Buffer | string | number | null;
export type TextRow = readonly (string | null)[];

export interface HotConnectionOptions {
  readonly url: string;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
  /** For the connection, the handshakes and what the session says first, together. */
  readonly connectTimeoutMs: number;
  /** A server that does not finish any statement for so long counts as lost, and the connection is closed. */
  readonly stallMs: number;
  /** What the session says before anything else. */
  readonly preamble?: string;
  /** Called once, when the connection ends without `close` having been called. */
  readonly onLost: (error: OperationalError) => void;
  /** Told of each statement, how long the server took for it. */
  readonly onRoundTrip?: ((durationMs: number) => void) | undefined;
}

/**
 * Index scans only: the planner knows nothing of our arrays' lengths, and a sequential scan chosen for a small table
 * would stay in the cached plan when it has grown.
 */
const PLANNER_SETTINGS =
  'SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; ' +
  'SET enable_bitmapscan = off; SET plan_cache_mode = force_generic_plan; SET jit = off';

interface HotQuery {
  readonly name?: string;
  readonly text: string;
  readonly values?: Parameter[];
  readonly rowMode: 'array';
  readonly types: typeof asText;
}

interface HotResult {
  readonly rows: readonly TextRow[];
  readonly rowCount: number | null;
}

/** What has its turn on the connection until it calls `over`. */
type Turn = (over: () => void) => void;

const LOOKS_PER_STALL = 4;

const asText = { getTypeParser: () => (text: string) => text };

export class HotConnection {
  private readonly waiting: Turn[] = [];
  private completed = 0;
  private isEnded = false;
  private readonly watchdog: NodeJS.Timeout;

  private constructor(
    private readonly client: pg.Client,
    private readonly socket: Socket,
    private readonly options: HotConnectionOptions,
  ) {
    client.on('error', (error) => this.lose(error));
    client.on('end', () => this.lose(new Error('The connection has ended')));
    this.watchdog = this.startWatchdog();
  }

  static async open(options: HotConnectionOptions): Promise<HotConnection> {
    const socket = new Socket();
    const client = new pg.Client({
      connectionString: options.url,
      application_name: options.applicationName,
      keepAlive: true,
      stream: () => socket,
    });
    const ignoreUntilOpen = (): void => undefined;
    client.on('error', ignoreUntilOpen);
    const { connectTimeoutMs } = options;
    const limit = setTimeout(() => {
      socket.destroy(new Error(`The session was not open within ${connectTimeoutMs} ms`));
    }, connectTimeoutMs);
    try {
      await client.connect();
      await client.query(`${sessionSettings(options.preamble)}; ${PLANNER_SETTINGS}`);
    } catch (error) {
      socket.destroy();
      throw translatePostgresError(error, 'connect');
    } finally {
      clearTimeout(limit);
    }
    client.off('error', ignoreUntilOpen);
    return new HotConnection(client, socket, options);
  }

  /** Rows of the result, each an array of the columns' text. */
  async run(statement: Statement, values: Parameter[]): Promise<readonly TextRow[]> {
    return (await this.execute(statement, values)).rows;
  }

  /** How many rows the statement, without what stands in its WITH, has changed: costs less than to select it. */
  async change(statement: Statement, values: Parameter[]): Promise<number> {
    return (await this.execute(statement, values)).rowCount ?? 0;
  }

  /** For statements that are not worth preparing. */
  async runOnce(text: string): Promise<void> {
    await this.enqueue(text, { text, rowMode: 'array', types: asText });
  }

  /** Ends the session. A statement under way is cut off: its outcome is unknown. */
  async close(): Promise<void> {
    this.isEnded = true;
    clearInterval(this.watchdog);
    await sayGoodbye(this.client.end(), [this.socket]);
  }

  private execute({ name, text }: Statement, values: Parameter[]): Promise<HotResult> {
    return this.enqueue(name, { name, text, values, rowMode: 'array', types: asText });
  }

  /**
   * Statements that were handed over before are done when `work` begins, and those that are handed over later wait until it
   * has ended: what it reads elsewhere meanwhile is the state between them.
   */
  hold<T>(work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.take((over) => {
        void work().finally(over).then(resolve, reject);
      });
    });
  }

  private enqueue(action: string, query: HotQuery): Promise<HotResult> {
    return new Promise((resolve, reject) => {
      this.take((over) => {
        const startedAt = performance.now();
        this.client.query(query as pg.QueryArrayConfig<Parameter[]>, (error: Error | undefined, result) => {
          this.options.onRoundTrip?.(performance.now() - startedAt);
          over();
          if (error) reject(translatePostgresError(error, action));
          else resolve(result as HotResult);
        });
      });
    });
  }

  /** Who has the turn stays the first of those that wait until it is over. */
  private take(turn: Turn): void {
    this.waiting.push(turn);
    if (this.waiting.length === 1) this.begin(turn);
  }

  private begin(turn: Turn): void {
    turn(() => {
      this.completed++;
      this.waiting.shift();
      if (this.waiting.length > 0) this.begin(this.waiting[0]!);
    });
  }

  private lose(cause: Error): void {
    if (this.isEnded) return;
    this.isEnded = true;
    clearInterval(this.watchdog);
    this.options.onLost(
      new OperationalError(
        'STORAGE_FAILED',
        'The connection to PostgreSQL is lost',
        { reason: 'connection' },
        { cause },
      ),
    );
  }

  /** Counts looks without progress, not time: a process that was stopped for a while finds the answers waiting. */
  private startWatchdog(): NodeJS.Timeout {
    let completedBefore = 0;
    let looksWithoutProgress = 0;
    return setInterval(() => {
      const isWaiting = this.waiting.length > 0 && this.completed === completedBefore;
      completedBefore = this.completed;
      looksWithoutProgress = isWaiting ? looksWithoutProgress + 1 : 0;
      if (looksWithoutProgress > LOOKS_PER_STALL) this.giveUp();
    }, this.options.stallMs / LOOKS_PER_STALL).unref();
  }

  private giveUp(): void {
    this.lose(new Error(`No statement was finished within ${this.options.stallMs} ms`));
    // With a statement under way this closes the socket at once, and the statement fails.
    this.client.end().catch((error: unknown) => {
      throw translatePostgresError(error, 'disconnect');
    });
  }
}
