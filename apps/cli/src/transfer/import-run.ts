import { REST_LIMITS } from '@ringleader/contracts';
import type { BatchOutcome, NumberedOperation } from './batch-sender.js';
import { BATCH_BYTES_MAX, parseLine, type ImportLine, type Refusal } from './import-line.js';
import type { Line } from './input.js';

export interface ImportRunOptions {
  readonly lines: AsyncIterable<readonly Line[]>;
  /** Ends them, also while they wait for the next. */
  readonly close: () => void;
  readonly from: Position;
  readonly send: (batch: readonly NumberedOperation[], number: number) => Promise<BatchOutcome>;
  readonly batchesInFlight: number;
  readonly operationsPerBatch: number;
  /** Aborted when no more is to be sent. */
  readonly signal: AbortSignal;
  /**
   * Called whenever more of the input is settled, with the lines that were refused there, in order. Until it has
   * resolved the batch counts as in flight, and where it rejects no more is sent.
   */
  readonly settled: (position: Position, refusals: readonly Refusal[]) => Promise<void>;
}

/** Of one batch: a file of nothing but wrong lines must not gather in memory either. */
const REFUSALS_MAX = 1_000;

/** Lines that follow each other in the input and go to the gateway together. */
class Batch {
  readonly operations: NumberedOperation[] = [];
  readonly keys = new Set<string>();
  readonly refusals: Refusal[] = [];
  bytes = 0;
  end = 0;
  lastLine = 0;

  get isEmpty(): boolean {
    return this.lastLine === 0;
  }
}

/**
 * Reads lines, makes batches, keeps several in flight. A key is never in two batches at once, nor twice in one: the
 * operations of a batch stand each alone, so only this keeps a later line of the input from losing to an earlier one.
 */
export class ImportRun {
  readonly #ledger: Ledger;
  readonly #inFlight = new Set<Promise<void>>();
  readonly #keysInFlight = new Set<string>();
  #batch = new Batch();
  #number = 0;
  #failure: Error | undefined;

  constructor(private readonly options: ImportRunOptions) {
    this.#ledger = new Ledger(options.from);
  }

  /** Resolves when everything that was sent has been answered: at the end of the input, or when told to stop. */
  async run(): Promise<Position> {
    const { signal, close } = this.options;
    signal.addEventListener('abort', close, { once: true });
    if (signal.aborted) close();
    try {
      await this.#readAll();
    } catch (error) {
      // What is closed fails where it is.
      if (!this.#mustStop()) this.#failure = error as Error;
    } finally {
      signal.removeEventListener('abort', close);
      close();
    }
    await this.#drain();
    if (this.#failure !== undefined) throw this.#failure;
    return this.#ledger.settled;
  }

  async #readAll(): Promise<void> {
    for await (const lines of this.options.lines) {
      if (this.#mustStop()) return;
      await this.#takeAll(lines);
    }
    if (!this.#mustStop()) await this.#flush();
  }

  #mustStop(): boolean {
    return this.options.signal.aborted || this.#failure !== undefined;
  }

  /** Waits for nothing but room: there are many lines. */
  async #takeAll(lines: readonly Line[]): Promise<void> {
    for (const line of lines) {
      if (this.#mustStop()) return;
      const parsed = parseLine(line);
      if (parsed.kind === 'put' && !this.#hasRoom(parsed.operation.key, parsed.bytes))
        await this.#makeRoom(parsed.operation.key);
      else if (parsed.kind === 'refused' && this.#batch.refusals.length >= REFUSALS_MAX) await this.#flush();
      this.#take(line, parsed);
    }
  }

  #take(line: Line, parsed: ImportLine): void {
    if (parsed.kind === 'put') {
      this.#batch.operations.push({ line: line.number, operation: parsed.operation });
      this.#batch.keys.add(parsed.operation.key);
      this.#batch.bytes += parsed.bytes;
    } else if (parsed.kind === 'refused') {
      this.#batch.refusals.push(parsed.refusal);
    }
    this.#batch.end = line.end;
    this.#batch.lastLine = line.number;
  }

  #hasRoom(key: string, bytes: number): boolean {
    const { operations, keys } = this.#batch;
    const isFull =
      operations.length >= this.options.operationsPerBatch || this.#batch.bytes + bytes > BATCH_BYTES_MAX;
    return !isFull && !keys.has(key) && !this.#keysInFlight.has(key);
  }

  async #makeRoom(key: string): Promise<void> {
    await this.#flush();
    if (this.#keysInFlight.has(key)) {
      await this.#flush();
      await this.#drain();
    }
  }

  async #flush(): Promise<void> {
    const batch = this.#batch;
    if (batch.isEmpty) return;
    this.#batch = new Batch();
    while (this.#inFlight.size >= this.options.batchesInFlight) await Promise.race(this.#inFlight);
    if (this.#mustStop()) return;
    const conclude = this.#ledger.enter(batch.end, batch.lastLine);
    for (const key of batch.keys) this.#keysInFlight.add(key);
    const sending = this.#send(batch, conclude).finally(() => {
      for (const key of batch.keys) this.#keysInFlight.delete(key);
      this.#inFlight.delete(sending);
    });
    this.#inFlight.add(sending);
  }

  async #send(batch: Batch, conclude: (outcome: BatchOutcome) => readonly Refusal[]): Promise<void> {
    this.#number += 1;
    try {
      const outcome = await this.options.send(batch.operations, this.#number);
      const refusals = [...batch.refusals, ...outcome.refusals].sort((a, b) => a.line - b.line);
      const reported = conclude({ ...outcome, refusals });
      await this.options.settled(this.#ledger.settled, reported);
    } catch (error) {
      this.#failure ??= error as Error;
      this.options.close();
    }
  }

  async #drain(): Promise<void> {
    await Promise.all(this.#inFlight);
  }
}

export const OPERATIONS_PER_BATCH_MAX = REST_LIMITS.batchOperationsMax;

/** How far the input is settled: every line before this place is stored or refused. */
export interface Position {
  readonly offset: number;
  readonly lines: number;
  readonly created: number;
  readonly replaced: number;
  readonly refused: number;
}

export const START: Position = { offset: 0, lines: 0, created: 0, replaced: 0, refused: 0 };

interface Entry {
  readonly end: number;
  readonly lastLine: number;
  outcome: BatchOutcome | undefined;
}

/**
 * Batches are sent several at a time and end in any order; a resumed import begins where the first one that is not
 * settled began. The ledger keeps them in the input's order and moves the position over those that are done.
 */
export class Ledger {
  readonly #open: Entry[] = [];

  constructor(private position: Position) {}

  get settled(): Position {
    return this.position;
  }

  /** Enters a batch that reaches to `end`; gives what to call with its outcome. */
  enter(end: number, lastLine: number): (outcome: BatchOutcome) => readonly Refusal[] {
    const entry: Entry = { end, lastLine, outcome: undefined };
    this.#open.push(entry);
    return (outcome) => {
      entry.outcome = outcome;
      return this.#advance();
    };
  }

  #advance(): Refusal[] {
    const refusals: Refusal[] = [];
    for (let first = this.#open[0]; first?.outcome !== undefined; first = this.#open[0]) {
      this.#open.shift();
      const { created, replaced, refusals: refused } = first.outcome;
      refusals.push(...refused);
      this.position = {
        offset: first.end,
        lines: first.lastLine,
        created: this.position.created + created,
        replaced: this.position.replaced + replaced,
        refused: this.position.refused + refused.length,
      };
    }
    return refusals;
  }
}
