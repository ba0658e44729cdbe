import { randomUUID } from 'node:crypto';
import { sendBatch } from './batch-sender.js';
import { GatewayClient } from './gateway-client.js';
import { BATCH_BYTES_MAX, type Refusal } from './import-line.js';
import { ImportRun } from './import-run.js';
import { inputIdentity, readState, removeState, writeState, type ImportState } from './import-state.js';
import { START, type Position } from './ledger.js';
import { readLines } from './line-reader.js';
import { progressDisplay } from './progress-display.js';
import { RefusalReport } from './refusal-report.js';
import { TransferError } from './transfer-error.js';

export interface ImportOptions {
  readonly file: string;
  readonly url: string;
  readonly state: string;
  readonly batchesInFlight: number;
  readonly operationsPerBatch: number;
  readonly giveUpMs: number;
}

export interface ImportSummary {
  readonly finished: boolean;
  readonly position: Position;
  readonly resumedAtLine: number;
  readonly bytes: number;
  readonly elapsedMs: number;
  readonly refusals: readonly Refusal[];
  readonly refusalFile: string;
}

/** So that a kill -9 costs little. */
const SAVE_EVERY_MS = 1_000;
/** After Ctrl-C, what is in flight may still be answered for so long. */
const LAST_ANSWERS_MS = 5_000;

interface Cluster {
  readonly client: GatewayClient;
  readonly id: string;
}

async function reach(url: string, signal: AbortSignal): Promise<Cluster> {
  const client = new GatewayClient(url, signal);
  const id = await client.clusterId();
  if (id === '')
    throw new TransferError(`No cluster answers at ${url}: start one with npm start, or name it with --url.`);
  return { client, id };
}

/** Saves the position now and then while an import runs. Writes follow each other. */
class Saver {
  #last = performance.now();
  #writing: Promise<void> = Promise.resolve();

  constructor(
    private readonly options: ImportOptions,
    private readonly report: RefusalReport,
    private readonly identity: Pick<ImportState, 'input' | 'cluster'>,
  ) {}

  settled(position: Position, refusals: readonly Refusal[]): void {
    const isDue = performance.now() - this.#last > SAVE_EVERY_MS;
    if (isDue) this.#last = performance.now();
    this.#writing = this.#writing.then(async () => {
      await this.report.add(refusals);
      if (isDue) await this.save(position);
    });
    // The failure is not lost: `finish` awaits the same promise.
    this.#writing.catch(() => undefined);
  }

  async save(position: Position): Promise<void> {
    const { bytes: refusedBytes } = this.report;
    await writeState(this.options.state, { formatVersion: 1, ...this.identity, position, refusedBytes });
  }

  async finish(position: Position | undefined): Promise<void> {
    await this.#writing;
    if (position === undefined) await removeState(this.options.state);
    else await this.save(position);
    await this.report.close();
  }
}

function lastAnswers(stop: AbortSignal): AbortController {
  const controller = new AbortController();
  const abort = () => {
    setTimeout(() => {
      controller.abort();
    }, LAST_ANSWERS_MS).unref();
  };
  if (stop.aborted) abort();
  else stop.addEventListener('abort', abort, { once: true });
  return controller;
}

export async function importFile(options: ImportOptions, stop: AbortSignal): Promise<ImportSummary> {
  const { identity, bytes } = await inputIdentity(options.file);
  const cluster = await reach(options.url, lastAnswers(stop).signal);
  const previous = await readState(options.state, identity, cluster.id);
  const from = previous?.position ?? START;
  const report = new RefusalReport(`${options.file}.refused.ndjson`, previous?.refusedBytes ?? 0);
  const saver = new Saver(options, report, { input: identity, cluster: cluster.id });
  // Before the first line: a place that cannot be written to should be known now.
  await saver.save(from);

  const progress = progressDisplay(bytes, from.offset, from.lines);
  const startedAt = performance.now();
  const runId = randomUUID();
  let position = from;
  const run = new ImportRun({
    lines: readLines(options.file, from, BATCH_BYTES_MAX),
    from,
    batchesInFlight: options.batchesInFlight,
    operationsPerBatch: options.operationsPerBatch,
    signal: stop,
    send: (batch, number) =>
      sendBatch(batch, `${runId}-${number}`, {
        client: cluster.client,
        signal: stop,
        giveUpMs: options.giveUpMs,
      }),
    settled: (settled, refusals) => {
      position = settled;
      progress.update(settled.offset, settled.lines);
      saver.settled(settled, refusals);
    },
  });
  let failure: Error | undefined;
  await run.run().catch((error: unknown) => {
    failure = error as Error;
  });
  progress.stop();
  const finished = failure === undefined && !stop.aborted;
  await saver.finish(finished ? undefined : position);
  if (failure !== undefined && !stop.aborted) throw failure;
  return {
    finished,
    position,
    resumedAtLine: from.lines,
    bytes: position.offset - from.offset,
    elapsedMs: performance.now() - startedAt,
    refusals: report.shown,
    refusalFile: report.path,
  };
}
