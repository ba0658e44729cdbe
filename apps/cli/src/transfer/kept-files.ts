/**
 * The files that an import keeps beside its input: how far it is, and what was refused. Both are written over and
 * removed, and a name may be a slip of the hand: so what is there already is touched only where an import has left it.
 */
import { fstatSync, type BigIntStats } from 'node:fs';
import { open, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CliFailure, EXIT } from '../failure.js';
import { parsed, readState, type Saved } from './import-state.js';
import { STANDARD_INPUT } from './input.js';

export interface KeptNames {
  readonly state?: string;
  readonly refused?: string;
}

export interface KeptFiles {
  /** Null for standard input, which cannot be gone on with. */
  readonly state: string | null;
  /** As it was named. */
  readonly refused: string;
  /** Whether an import, perhaps an earlier one, has left what is there. */
  readonly isReport: boolean;
  readonly refusedPath: string;
  /** What an import, perhaps of another input, has left at `state`. */
  readonly saved: Saved | undefined;
}

interface Place {
  readonly name: string;
  /** Of the file that the name stands for, whatever links lead to it. */
  readonly path: string;
  /** Null where there is nothing yet. */
  readonly status: BigIntStats | null;
}

const usage = (sentence: string, cause?: unknown): CliFailure =>
  new CliFailure(sentence, { exitCode: EXIT.usage, cause });

async function placeOf(name: string): Promise<Place> {
  // What else than its absence hides it, `stat` tells below.
  const there = (path: string): Promise<string | null> => realpath(path).catch(() => null);
  const path = (await there(name)) ?? join((await there(dirname(name))) ?? dirname(name), basename(name));
  const shown = name === '' ? path : name;
  try {
    return { name: shown, path, status: await stat(path, { bigint: true }) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { name: shown, path, status: null };
    throw usage(`${name} cannot be written: ${(error as Error).message}.`, error);
  }
}

/** A hard link is one more name of the same file. */
function isSame(a: Place, b: Place): boolean {
  if (a.path === b.path) return true;
  if (a.status?.isFile() !== true || b.status === null) return false;
  return a.status.dev === b.status.dev && a.status.ino === b.status.ino;
}

function refuseSame(places: readonly Place[]): void {
  const isShared = places.some((place, i) => places.slice(i + 1).some((other) => isSame(place, other)));
  if (isShared) {
    throw usage('The input, --state and --refused must be three files: one would be written over another.');
  }
}

/** Throws what cannot be used before anything is written. */
export async function keptFiles(input: string, { state, refused }: KeptNames): Promise<KeptFiles> {
  if (input === STANDARD_INPUT) {
    const report = await placeOf(refused ?? 'standard-input.refused.ndjson');
    const source = { name: input, path: input, status: fstatSync(0, { bigint: true }) };
    refuseSame([source, report]);
    const isReport = await isOfAnImport(report, undefined);
    return { state: null, refused: report.name, refusedPath: report.path, isReport, saved: undefined };
  }
  const [source, kept, report] = (await Promise.all(
    [input, state ?? `${input}.import.json`, refused ?? `${input}.refused.ndjson`].map(placeOf),
  )) as [Place, Place, Place];
  refuseSame([source, kept, report]);
  if (kept.status?.isFile() === false) throw usage(`${kept.name} is not a file: name one with --state.`);
  const saved = isEmpty(kept) ? undefined : await readState(kept.path);
  const isReport = await isOfAnImport(report, saved);
  return { state: kept.path, refused: report.name, refusedPath: report.path, isReport, saved };
}

/** Holds nothing that could be lost. */
function isEmpty({ status }: Place): boolean {
  return status === null || status.size === 0n;
}

/** Throws where it is something else. Lines may be added to a terminal or /dev/null, which no import leaves. */
async function isOfAnImport(report: Place, saved: Saved | undefined): Promise<boolean> {
  const { name, path, status } = report;
  if (status === null || status.isCharacterDevice()) return false;
  if (!status.isFile()) throw usage(`${name} is not a file: name one with --refused.`);
  if (isEmpty(report) || path === saved?.refused || (await beginsAsReport(path))) return true;
  throw usage(
    `${name} is no report of refused lines, so it is not written over. Move it away, or name another file with --refused.`,
  );
}

const FIRST_LINE_BYTES = 65_536;

async function beginsAsReport(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(FIRST_LINE_BYTES) });
    const [first = ''] = buffer.toString('utf8', 0, bytesRead).split('\n', 1);
    const { line, code, detail } = (parsed(first) ?? {}) as Record<string, unknown>;
    return Number.isSafeInteger(line) && typeof code === 'string' && typeof detail === 'string';
  } finally {
    await file.close();
  }
}
