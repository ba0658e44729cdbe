import { randomUUID } from 'node:crypto';
import { sendBatch } from './batch-sender.js';
import { CliFailure, EXIT } from '../failure.js';
import { type GatewayClient, bodyOf } from '../gateway-client.js';
import { BATCH_BYTES_MAX, type Refusal } from './import-line.js';
import { ImportState, placeIn } from './import-state.js';
import { ImportRun, type Position } from './import-run.js';
import { openInput, type Input } from './input.js';
import { keptFiles } from './kept-files.js';
import { progressDisplay } from './progress-display.js';
import { type ImportSummary, RefusalReport } from './import-report.js';

export interface ImportOptions {
  /** A path, or - for standard input. */
  readonly file: string;
  /** The client whose requests end when `lastAnswers` says so. */
  readonly clientOf: (signal: AbortSignal) => GatewayClient;
  /** Where it is remembered how far the import is; by default beside the file. Standard input cannot be gone on with. */
  readonly state?: string;
  /** Where refused lines are written; by default beside the file, for standard input in the present folder. */
  readonly refused?: string;
  readonly batchesInFlight: number;
  readonly operationsPerBatch: number;
  readonly giveUpMs: number;
}

/** So that a kill -9 costs little. */
const SAVE_EVERY_MS = 1_000;
/** After Ctrl-C, what is in flight may still be answered for so long. */
const LAST_ANSWERS_MS = 5_000;

async function clusterId(client: GatewayClient): Promise<string> {
  const answer = await client.cluster();
  // A token for some keys only is not told of the cluster: then it is the one that answers there.
  if (answer.code === 'FORBIDDEN') return client.names;
  const { id } = bodyOf(answer, client);
  if (id !== null) return id;
  throw new CliFailure('The cluster has not told its id yet: no coordinator has answered the gateway.', {
    exitCode: EXIT.nothingDone,
  });
}

/** Saves the position now and then while an import runs. Writes follow each other. */
class Saver {
  #last = performance.now();
  #writing: Promise<void> = Promise.resolve();

  constructor(
    private readonly state: ImportState | null,
    private readonly report: RefusalReport,
  ) {}

  settled(position: Position, refusals: readonly Refusal[]): Promise<void> {
    const isDue = performance.now() - this.#last > SAVE_EVERY_MS;
    if (isDue) this.#last = performance.now();
    this.#writing = this.#writing.then(async () => {
      await this.report.add(refusals);
      if (isDue) await this.save(position);
    });
    return this.#writing;
  }

  async save(position: Position): Promise<void> {
    await this.state?.write(position, this.report.bytes);
  }

  async finish(position: Position | undefined): Promise<void> {
    await this.#writing;
    if (position === undefined) await this.state?.remove();
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

interface Begun {
  readonly input: Input;
  readonly client: GatewayClient;
  readonly from: Position;
  readonly state: ImportState | null;
  readonly report: RefusalReport;
}

/** Throws what cannot be done before anything is written. */
async function begin(options: ImportOptions, stop: AbortSignal): Promise<Begun> {
  const input = await openInput(options.file);
  const { identity } = input;
  const { state, saved, refused, refusedPath, isReport } = await keptFiles(options.file, options);
  const client = options.clientOf(lastAnswers(stop).signal);
  const cluster = await clusterId(client);
  const { position, refusedBytes } = placeIn(saved, identity, cluster);
  const report = new RefusalReport(refused, refusedBytes);
  if (isReport) await report.goOn();
  return {
    input,
    client,
    from: position,
    state:
      identity === null || state === null
        ? null
        : new ImportState(state, { input: identity, cluster, refused: refusedPath }),
    report,
  };
}

export async function importFile(options: ImportOptions, stop: AbortSignal): Promise<ImportSummary> {
  const { input, client, from, state, report } = await begin(options, stop);
  const saver = new Saver(state, report);
  // Before the first line: a place that cannot be written to should be known now.
  await saver.save(from);

  const progress = progressDisplay(input.bytes, from.offset, from.lines);
  const startedAt = performance.now();
  const runId = randomUUID();
  let position = from;
  const run = new ImportRun({
    lines: input.read(from, BATCH_BYTES_MAX),
    close: () => input.close(),
    from,
    batchesInFlight: options.batchesInFlight,
    operationsPerBatch: options.operationsPerBatch,
    signal: stop,
    send: (batch, number) =>
      sendBatch(batch, `${runId}-${number}`, { client, signal: stop, giveUpMs: options.giveUpMs }),
    settled: (settled, refusals) => {
      position = settled;
      progress.update(settled.offset, settled.lines);
      return saver.settled(settled, refusals);
    },
  });
  let finished = false;
  try {
    await run.run();
    finished = !stop.aborted;
  } catch (error) {
    // What was stopped is no failure, whatever the stop has broken.
    if (!stop.aborted) throw error;
  } finally {
    progress.stop();
    await saver.finish(finished ? undefined : position);
  }
  return {
    finished,
    isResumable: state !== null,
    position,
    resumedAtLine: from.lines,
    bytes: position.offset - from.offset,
    elapsedMs: performance.now() - startedAt,
    refusals: report.shown,
    refusalFile: report.path,
  };
}
