/**
 * Where an export goes. A file appears, or is replaced, only when all of it is there and on the disk: whatever ends an
 * export before, the file that had the name keeps its content.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { open, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { CliFailure } from '../failure.js';

export interface Output {
  /** Resolves when more may be written. Rejects when the output takes no more. */
  write(text: string): Promise<void>;
  /** All of it is there: the file takes its name. */
  complete(): Promise<void>;
  /** Nothing of it is to stay. */
  discard(): Promise<void>;
}

export const STANDARD_OUTPUT = '-';

const refused = (name: string, cause: Error): CliFailure =>
  new CliFailure(`The export stopped, ${name} cannot be written: ${cause.message}.`, { cause });

/** Everything that goes through `head` has arrived, or has failed, when `done` says so. */
class Sink {
  private failure: CliFailure | undefined;

  constructor(
    private readonly head: Writable,
    private readonly done: Promise<void>,
    name: string,
  ) {
    // Whoever writes next, or ends, gets it.
    done.catch((error: Error) => (this.failure ??= refused(name, error)));
  }

  async write(text: string): Promise<void> {
    this.check();
    if (!this.head.write(text)) await Promise.race([once(this.head, 'drain'), this.settled()]);
    this.check();
  }

  async end(): Promise<void> {
    this.head.end();
    await this.settled();
    this.check();
  }

  private check(): void {
    if (this.failure !== undefined) throw this.failure;
  }

  private settled(): Promise<void> {
    return this.done.catch(() => undefined);
  }
}

export async function openOutput(path: string): Promise<Output> {
  if (path === STANDARD_OUTPUT) {
    const { stdout } = process;
    const sink = new Sink(stdout, finished(stdout), 'standard output');
    const nothing = () => Promise.resolve();
    return { write: (text) => sink.write(text), complete: nothing, discard: nothing };
  }
  return fileOutput(path);
}

/** The file that is to be replaced: a link stays a link. Null where there is none yet. */
async function existing(path: string): Promise<{ path: string; mode: number; isFile: boolean } | null> {
  try {
    const target = await realpath(path);
    const status = await stat(target);
    return { path: target, mode: status.mode, isFile: status.isFile() };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw refused(path, error as Error);
  }
}

async function fileOutput(path: string): Promise<Output> {
  const before = await existing(path);
  // A device or a pipe (/dev/null) has no content to protect, and cannot be replaced.
  const isAside = before === null || before.isFile;
  const target = before?.path ?? path;
  const aside = isAside
    ? join(dirname(target), `.${basename(target)}.${randomBytes(6).toString('hex')}.part`)
    : target;
  const file = await open(aside, isAside ? 'wx' : 'w', before?.mode).catch((error: Error) => {
    throw refused(path, error);
  });
  const stream = new Writable({
    write: (chunk: Buffer, _, callback) => {
      file.appendFile(chunk).then(() => {
        callback();
      }, callback);
    },
  });
  const gzip = path.endsWith('.gz') ? createGzip() : null;
  const done = gzip === null ? finished(stream) : pipeline(gzip, stream);
  const sink = new Sink(gzip ?? stream, done, path);
  return {
    write: (text) => sink.write(text),
    complete: async () => {
      await sink.end();
      try {
        if (isAside) await file.sync();
        await file.close();
        if (isAside) await publish(aside, target);
      } catch (error) {
        throw refused(path, error as Error);
      }
    },
    discard: async () => {
      (gzip ?? stream).destroy();
      // A write that is under way ends first: the file is not closed under it.
      await done.catch(() => undefined);
      await file.close().catch(ignoreClosed);
      if (isAside) await rm(aside, { force: true });
    },
  };
}

function ignoreClosed(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EBADF') throw error;
}

async function publish(aside: string, target: string): Promise<void> {
  await rename(aside, target);
  const folder = await open(dirname(target), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
