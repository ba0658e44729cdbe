import { randomBytes } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { CliFailure } from '../failure.js';
import type { Position } from './import-run.js';

interface Saved {
  readonly formatVersion: 1;
  readonly input: string;
  readonly cluster: string;
  readonly position: Position;
  /** How much of the report of refused lines belongs to that position. */
  readonly refusedBytes: number;
}

/** Where an import was when it was stopped. It counts only for the same file into the same cluster. */
export class ImportState {
  constructor(
    private readonly path: string,
    private readonly identity: Pick<Saved, 'input' | 'cluster'>,
  ) {}

  async read(): Promise<Saved | undefined> {
    const text = await readFile(this.path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw new CliFailure(`${this.path} cannot be read: ${error.message}.`, { cause: error });
    });
    if (text === undefined) return undefined;
    const saved = parse(text);
    const { input, cluster } = this.identity;
    return saved?.formatVersion === 1 && saved.input === input && saved.cluster === cluster
      ? saved
      : undefined;
  }

  async write(position: Position, refusedBytes: number): Promise<void> {
    const saved: Saved = { formatVersion: 1, ...this.identity, position, refusedBytes };
    // A name of its own: another import of the same file may save its place, too.
    const aside = `${this.path}.${randomBytes(6).toString('hex')}.new`;
    try {
      await writeFile(aside, JSON.stringify(saved), { flush: true });
      await rename(aside, this.path);
    } catch (error) {
      await rm(aside, { force: true });
      const { message } = error as Error;
      const sentence = `${this.path} cannot be written (${message}): name another place with --state.`;
      throw new CliFailure(sentence, { cause: error });
    }
  }

  async remove(): Promise<void> {
    await rm(this.path, { force: true });
  }
}

/** A state file that is not ours to understand is as good as none: the import begins at the beginning. */
function parse(text: string): Saved | undefined {
  try {
    return JSON.parse(text) as Saved;
  } catch {
    return undefined;
  }
}
