import { randomBytes } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { CliFailure, EXIT } from '../failure.js';
import { START, type Position } from './import-run.js';

/** Where an import was when it was stopped. It counts only for the same file into the same cluster. */
export interface Saved {
  readonly formatVersion: 1;
  readonly input: string;
  readonly cluster: string;
  readonly position: Position;
  /** The report of refused lines, and how much of it belongs to that position. */
  readonly refused: string;
  readonly refusedBytes: number;
}

/** Undefined where nothing is there. What is no such file is somebody's for something else: it is not written over. */
export async function readState(path: string): Promise<Saved | undefined> {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined;
    throw new CliFailure(`${path} cannot be read: ${cause.message}.`, { cause, exitCode: EXIT.usage });
  });
  if (text === undefined) return undefined;
  const saved = parsed(text);
  if (isSaved(saved)) return saved;
  const sentence = `${path} does not say where an import was stopped, so it is not written over. Move it away, or name another file with --state.`;
  throw new CliFailure(sentence, { exitCode: EXIT.usage });
}

/** Where to go on: at the beginning, if another file was imported, or into another cluster. */
export function placeIn(
  saved: Saved | undefined,
  input: string | null,
  cluster: string,
): Pick<Saved, 'position' | 'refusedBytes'> {
  return saved?.input === input && saved.cluster === cluster ? saved : { position: START, refusedBytes: 0 };
}

export class ImportState {
  constructor(
    private readonly path: string,
    private readonly fixed: Pick<Saved, 'input' | 'cluster' | 'refused'>,
  ) {}

  async write(position: Position, refusedBytes: number): Promise<void> {
    const saved: Saved = { formatVersion: 1, ...this.fixed, position, refusedBytes };
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

/** Null where it is no JSON. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

function isSaved(value: unknown): value is Saved {
  const { formatVersion, input, cluster, refused, refusedBytes, position } = (value ?? {}) as Partial<
    Record<keyof Saved, unknown>
  >;
  const counts = (position ?? {}) as Partial<Position>;
  return (
    formatVersion === 1 &&
    [input, cluster, refused].every((text) => typeof text === 'string') &&
    [refusedBytes, ...Object.keys(START).map((name) => counts[name as keyof Position])].every(isCount)
  );
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
