import { open, rm, type FileHandle } from 'node:fs/promises';
import { CliFailure } from '../failure.js';
import type { Refusal } from './import-line.js';
import type { Position } from './import-run.js';

const SHOWN = 20;

/** Every refused line, as NDJSON in a file beside the input; the first of them also for the screen. */
export class RefusalReport {
  readonly shown: Refusal[] = [];
  #file: FileHandle | undefined;
  #bytes: number;

  /** Continues a report of so many bytes; what is behind them was written for lines that are imported again. */
  constructor(
    readonly path: string,
    bytes: number,
  ) {
    this.#bytes = bytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  async add(refusals: readonly Refusal[]): Promise<void> {
    if (refusals.length === 0) return;
    this.shown.push(...refusals.slice(0, SHOWN - this.shown.length));
    const text = Buffer.from(refusals.map((refusal) => `${JSON.stringify(refusal)}\n`).join(''));
    try {
      this.#file ??= await open(this.path, this.#bytes === 0 ? 'w' : 'r+');
      await this.#file.write(text, 0, text.length, this.#bytes);
    } catch (error) {
      const { message } = error as Error;
      const sentence = `${this.path} cannot be written (${message}): name another place with --refused.`;
      throw new CliFailure(sentence, { cause: error });
    }
    this.#bytes += text.length;
  }

  async close(): Promise<void> {
    await this.#file?.truncate(this.#bytes);
    await this.#file?.close();
    if (this.#bytes === 0) await rm(this.path, { force: true });
  }
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
