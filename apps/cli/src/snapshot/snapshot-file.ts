/** Reads a file of `coordinator snapshot save`, to its end. */
import { createReadStream } from 'node:fs';
import { type ArchiveHeader, ArchiveReader, DamagedArchiveError } from '@ringleader/log-storage';
import { type MvccStore, SnapshotReader } from '@ringleader/mvcc';
import { createGunzip } from 'node:zlib';
import { MalformedBytesError } from '@ringleader/primitives';
import { CliFailure, EXIT } from '../failure.js';

export interface SnapshotFile {
  readonly header: ArchiveHeader;
  readonly store: MvccStore;
  readonly sizeBytes: number;
}

/** Whole, in order, and with the hash that it was taken with; a failure otherwise. */
export async function readSnapshotFile(path: string): Promise<SnapshotFile> {
  const content = new SnapshotReader();
  const archive = new ArchiveReader((piece) => content.push(piece));
  let sizeBytes = 0;
  try {
    for await (const chunk of contentOf(path)) {
      archive.push(chunk);
      sizeBytes += chunk.byteLength;
    }
    const header = archive.finish();
    const store = content.finish();
    if (store.presentHash !== header.hash || store.revision !== header.revision) {
      throw new DamagedArchiveError('what it holds is not what it says');
    }
    return { header, store, sizeBytes };
  } catch (error) {
    throw failureOf(error, path);
  }
}

/** Of what passes by. */
export function archiveCheck(): ArchiveReader {
  return new ArchiveReader(() => undefined);
}

/** As `save` writes it: compressed, where the name says so. */
function contentOf(path: string): AsyncIterable<Buffer> {
  const file = createReadStream(path, { highWaterMark: 1 << 20 });
  if (!path.endsWith('.gz')) return file;
  const plain = createGunzip();
  file.once('error', (error) => plain.destroy(error)).pipe(plain);
  return plain;
}

export function failureOf(error: unknown, path: string): unknown {
  if (error instanceof DamagedArchiveError || error instanceof MalformedBytesError) {
    return new CliFailure(`${path} cannot be used: ${error.message}.`, { cause: error });
  }
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === undefined || error instanceof CliFailure) return error;
  const exitCode = code === 'ENOENT' ? EXIT.usage : EXIT.failed;
  return new CliFailure(`${path} cannot be read: ${message}.`, { cause: error, exitCode });
}
