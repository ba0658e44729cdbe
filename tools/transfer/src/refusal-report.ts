import { open, rm, type FileHandle } from 'node:fs/promises';
import type { Refusal } from './import-line.js';

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
    this.#file ??= await open(this.path, this.#bytes === 0 ? 'w' : 'r+');
    const text = Buffer.from(refusals.map((refusal) => `${JSON.stringify(refusal)}\n`).join(''));
    await this.#file.write(text, 0, text.length, this.#bytes);
    this.#bytes += text.length;
  }

  async close(): Promise<void> {
    await this.#file?.truncate(this.#bytes);
    await this.#file?.close();
    if (this.#bytes === 0) await rm(this.path, { force: true });
  }
}
