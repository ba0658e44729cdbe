import { open, rm, stat, truncate, type FileHandle } from 'node:fs/promises';
import { CliFailure } from '../failure.js';
import type { Refusal } from './import-line.js';
import type { Position } from './import-run.js';

const SHOWN = 20;

/** Every refused line, as NDJSON in a file beside the input; the first of them also for the screen. */
export class RefusalReport {
  readonly shown: Refusal[] = [];
  #file: FileHandle | undefined;
  #bytes: number;

  /** Continues a report of so many bytes. */
  constructor(
    readonly path: string,
    bytes: number,
  ) {
    this.#bytes = bytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** What the last run wrote behind those bytes is of lines that are imported again. */
  async goOn(): Promise<void> {
    try {
      const status = await stat(this.path).catch(ignoreMissing);
      this.#bytes = Math.min(this.#bytes, status?.size ?? 0);
      if (status?.isFile() !== true) return;
      if (this.#bytes === 0) await rm(this.path);
      else await truncate(this.path, this.#bytes);
    } catch (error) {
      throw this.#cannotBeWritten(error);
    }
  }

  /** Nothing is ever written over: another import may write into the same file. */
  async add(refusals: readonly Refusal[]): Promise<void> {
    if (refusals.length === 0) return;
    this.shown.push(...refusals.slice(0, SHOWN - this.shown.length));
    const text = refusals.map((refusal) => `${JSON.stringify(refusal)}\n`).join('');
    try {
      this.#file ??= await open(this.path, 'a');
      await this.#file.appendFile(text);
    } catch (error) {
      throw this.#cannotBeWritten(error);
    }
    this.#bytes += Buffer.byteLength(text);
  }

  async close(): Promise<void> {
    await this.#file?.close();
  }

  #cannotBeWritten(cause: unknown): CliFailure {
    const { message } = cause as Error;
    const sentence = `${this.path} cannot be written (${message}): name another place with --refused.`;
    return new CliFailure(sentence, { cause });
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null;
  throw error;
}

export interface ImportSummary {
  readonly finished: boolean;
  /** The same command goes on where this one stopped. */
  readonly isResumable: boolean;
  readonly position: Position;
  readonly resumedAtLine: number;
  readonly bytes: number;
  readonly elapsedMs: number;
  readonly refusals: readonly Refusal[];
  readonly refusalFile: string;
}

/** What an import came to, for a person. */
export function describeImport(summary: ImportSummary): string {
  const { position, resumedAtLine, bytes, elapsedMs, refusals, refusalFile } = summary;
  const seconds = elapsedMs / 1000;
  const perSecond = (amount: number) => Math.round(amount / Math.max(seconds, 0.001));
  const megabytes = bytes / 1e6;
  const lines = position.lines - resumedAtLine;
  const text = [
    ...(resumedAtLine > 0 ? [`Went on behind line ${resumedAtLine}, where the last run was stopped.`] : []),
    `${lines} lines in ${seconds.toFixed(1)} s: ${perSecond(lines)} lines/s, ${(megabytes / Math.max(seconds, 0.001)).toFixed(1)} MB/s.`,
    `In all: ${position.created} keys created, ${position.replaced} replaced, ${position.refused} lines refused.`,
  ];
  for (const { line, code, detail } of refusals) text.push(`  line ${line}: ${code} ${detail}`);
  if (position.refused > 0) text.push(`Every refused line and why: ${refusalFile}`);
  if (!summary.finished) {
    const next = summary.isResumable
      ? 'the same command goes on from there'
      : 'what follows was not imported, and the place in a standard input is not remembered';
    text.push(`Stopped behind line ${position.lines}: ${next}.`);
  }
  return text.join('\n');
}
