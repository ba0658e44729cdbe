import { createHash } from 'node:crypto';
import { open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import type { Position } from './ledger.js';
import { TransferError } from './transfer-error.js';

/** Where an import was when it was stopped. It counts only for the same file into the same cluster. */
export interface ImportState {
  readonly formatVersion: 1;
  readonly input: string;
  readonly cluster: string;
  readonly position: Position;
  /** How much of the report of refused lines belongs to that position. */
  readonly refusedBytes: number;
}

const HEAD_BYTES = 65_536;

/** Tells files apart that have the same name: size, time of change, and the first bytes. */
export async function inputIdentity(path: string): Promise<{ identity: string; bytes: number }> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') throw new TransferError(`There is no file ${path}.`, { cause: error });
    throw new TransferError(`${path} cannot be read: ${error.message}.`, { cause: error });
  });
  try {
    const status = await file.stat();
    const { size, mtimeMs } = status;
    if (!status.isFile()) throw new TransferError(`${path} is not a file.`);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    const hash = createHash('sha256').update(`${size} ${mtimeMs} `).update(buffer.subarray(0, bytesRead));
    return { identity: hash.digest('hex'), bytes: size };
  } finally {
    await file.close();
  }
}

export async function readState(
  path: string,
  input: string,
  cluster: string,
): Promise<ImportState | undefined> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const state = parse(text);
  const isOurs = state?.formatVersion === 1 && state.input === input && state.cluster === cluster;
  return isOurs ? state : undefined;
}

/** A state file that is not ours to understand is as good as none: the import begins at the beginning. */
function parse(text: string): ImportState | undefined {
  try {
    return JSON.parse(text) as ImportState;
  } catch {
    return undefined;
  }
}

export async function writeState(path: string, state: ImportState): Promise<void> {
  try {
    await writeFile(`${path}.new`, JSON.stringify(state), { flush: true });
    await rename(`${path}.new`, path);
  } catch (error) {
    throw new TransferError(
      `${path} cannot be written (${(error as Error).message}): name another place with --state.`,
      {
        cause: error,
      },
    );
  }
}

export async function removeState(path: string): Promise<void> {
  await rm(path, { force: true });
}
