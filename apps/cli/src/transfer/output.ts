/**
 * Where an export, or a snapshot, goes. A file appears, or is replaced, only when all of it is there and on the disk: whatever ends an
 * export before, the file that had the name keeps its content.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { open, readlink, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { CliFailure, EXIT } from '../failure.js';

export interface Output {
  /** Resolves when more may be written. Rejects when the output takes no more. */
  write(content: string | Uint8Array): Promise<void>;
  /** All of it is there: the file takes its name. */
  complete(): Promise<void>;
  /** Nothing of it is to stay. */
  discard(): Promise<void>;
}

export const STANDARD_OUTPUT = '-';

const refused = (name: string, cause: Error): CliFailure =>
  new CliFailure(`${name} cannot be written: ${cause.message}.`, { cause });

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

  async write(content: string | Uint8Array): Promise<void> {
    this.check();
    if (!this.head.write(content)) await Promise.race([this.drained(), this.settled()]);
    this.check();
  }

  /** What goes wrong meanwhile `done` tells, in a sentence. */
  private async drained(): Promise<void> {
    await once(this.head, 'drain').catch(() => this.settled());
  }

  async end(): Promise<void> {
    this.head.end();
    await this.settled();
    this.check();
  }

  /** What is under way ends first; that it was cut short is no failure. */
  async abandon(): Promise<void> {
    this.head.destroy();
    await this.settled();
  }

  private check(): void {
    if (this.failure !== undefined) throw this.failure;
  }

  /** How it ended `check` tells. */
  private settled(): Promise<void> {
    return this.done.catch(() => undefined);
  }
}

/** `mode` is that of a file which is not there yet. */
export async function openOutput(path: string, mode?: number): Promise<Output> {
  if (path === STANDARD_OUTPUT) {
    const { stdout } = process;
    const sink = new Sink(stdout, finished(stdout), 'standard output');
    const nothing = () => Promise.resolve();
    return { write: (content) => sink.write(content), complete: nothing, discard: nothing };
  }
  // The name of no file, which only the last step would tell.
  if (path === '' || path.endsWith('/')) {
    throw new CliFailure(`${JSON.stringify(path)} is not the name of a file.`, { exitCode: EXIT.usage });
  }
  const descriptor = await descriptorOf(path);
  return descriptor === null ? fileOutput(path, mode) : descriptorOutput(path, descriptor);
}

const LINKS_MAX = 40;

/**
 * The number of the own descriptor that a name like /dev/stdout or /dev/fd/3 stands for, by way of whatever links. The
 * file behind it is somebody else's, who may have written into it, and goes on writing. What cannot be followed is none
 * of those: whoever opens it tells why.
 */
async function descriptorOf(path: string): Promise<number | null> {
  let name = resolve(path);
  for (let links = 0; links < LINKS_MAX; links += 1) {
    const folder = await realpath(dirname(name)).catch(() => null);
    if (folder === null) return null;
    if (folder === '/dev/fd' || isOwnDescriptors(folder)) {
      const number = /^\d+$/.test(basename(name)) ? Number(basename(name)) : null;
      if (number !== null) return number;
    }
    const next = await readlink(join(folder, basename(name))).catch(() => null);
    if (next === null) return null;
    name = resolve(folder, next);
  }
  return null;
}

function isOwnDescriptors(folder: string): boolean {
  const [, pid] = /^\/proc\/(\d+)(?:\/task\/\d+)?\/fd$/.exec(folder) ?? [];
  return pid !== undefined && Number(pid) === process.pid;
}

/** Goes on where the descriptor is, and leaves it open: it is not this command's. */
function descriptorOutput(path: string, fd: number): Output {
  const stream = createWriteStream(path, { fd, autoClose: false });
  const gzip = path.endsWith('.gz') ? createGzip() : null;
  const done = gzip === null ? finished(stream) : pipeline(gzip, stream);
  const sink = new Sink(gzip ?? stream, done, path);
  return {
    write: (content) => sink.write(content),
    complete: () => sink.end(),
    discard: () => sink.abandon(),
  };
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

async function fileOutput(path: string, mode?: number): Promise<Output> {
  const before = await existing(path);
  // A device or a pipe (/dev/null) has no content to protect, and cannot be replaced.
  const isAside = before === null || before.isFile;
  const target = before?.path ?? path;
  const aside = isAside
    ? join(dirname(target), `.${basename(target)}.${randomBytes(6).toString('hex')}.part`)
    : target;
  const file = await open(aside, isAside ? 'wx' : 'w', before?.mode ?? mode).catch((error: Error) => {
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
    write: (content) => sink.write(content),
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
      // The file is not closed under a write.
      await sink.abandon();
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
