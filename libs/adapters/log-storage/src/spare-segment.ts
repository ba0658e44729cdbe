/**
 * Room for the log, made before it is promised: the file of the next segment, full of zeros, while the present one fills. Where the
 * disk has no room for it the log is full, takes nothing of any size any more, and looks every second whether there is room again.
 */
import { join } from 'node:path';
import type { Disk } from './disk.js';
import { preallocate } from './segment.js';
import { isOutOfRoom } from './storage-errors.js';

const spareName = 'spare.partial';
/** Beyond what is missing: else every look would fill the disk again, and whoever shares it had none. */
const marginBytes = 1024 * 1024;

type Outcome =
  | { readonly kind: 'made' | 'noRoom' }
  /** Shows when the spare is needed: until then the log is whole. */
  | { readonly kind: 'failed'; readonly cause: unknown };

export interface SpareOptions {
  readonly directory: string;
  readonly disk: Disk;
  readonly sizeBytes: number;
  readonly lookEveryMs: number;
}

export class SpareSegment {
  readonly path: string;
  readonly #options: SpareOptions;
  readonly #listeners = new Set<(hasRoom: boolean) => void>();
  #outcome: Promise<Outcome> | null = null;
  /** Beyond the spare: of what could not be written. */
  #missingBytes = 0;
  #timer: NodeJS.Timeout | null = null;
  #look: Promise<void> | null = null;

  constructor(options: SpareOptions) {
    this.#options = options;
    this.path = join(options.directory, spareName);
  }

  get hasRoom(): boolean {
    return this.#timer === null;
  }

  /** Called at every change. */
  listen(listener: (hasRoom: boolean) => void): void {
    this.#listeners.add(listener);
  }

  /** Begins to make it. */
  prepare(): void {
    this.#outcome = this.#make(this.#options.sizeBytes);
  }

  /** Whether there is now a file at `path`, on disk, that is so large. It is the caller's, who prepares the next. */
  async take(sizeBytes: number): Promise<boolean> {
    await this.#look;
    const prepared = await this.#outcome;
    if (prepared?.kind === 'failed') throw prepared.cause;
    if (prepared?.kind === 'made' && sizeBytes <= this.#options.sizeBytes) {
      this.#outcome = null;
      return true;
    }
    if (!this.hasRoom) return this.lack(sizeBytes - this.#options.sizeBytes);
    this.#outcome = null;
    const made = await this.#make(sizeBytes);
    if (made.kind === 'failed') throw made.cause;
    return made.kind === 'made';
  }

  /** So much did not fit, or more, besides the spare. */
  lack(bytes: number): false {
    this.#missingBytes = Math.max(this.#missingBytes, bytes);
    if (this.#timer !== null) return false;
    this.#timer = setInterval(() => {
      this.#look ??= this.#lookForRoom().finally(() => {
        this.#look = null;
      });
    }, this.#options.lookEveryMs);
    this.#timer.unref();
    this.#tell();
    return false;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer ?? undefined);
    this.#listeners.clear();
    await this.#look;
    await this.#outcome;
  }

  async #make(sizeBytes: number): Promise<Outcome> {
    const { disk } = this.#options;
    try {
      await preallocate(disk, this.path, sizeBytes);
      return { kind: 'made' };
    } catch (cause) {
      if (!isOutOfRoom(cause)) return { kind: 'failed', cause };
    }
    try {
      await disk.remove(this.path);
    } catch (cause) {
      return { kind: 'failed', cause };
    }
    this.lack(sizeBytes - this.#options.sizeBytes);
    return { kind: 'noRoom' };
  }

  async #lookForRoom(): Promise<void> {
    const outcome = await this.#tryAgain();
    if (outcome.kind === 'noRoom') return;
    // What failed otherwise is to show, where the spare is taken.
    this.#outcome = Promise.resolve(outcome);
    clearInterval(this.#timer ?? undefined);
    this.#timer = null;
    this.#missingBytes = 0;
    this.#tell();
  }

  async #tryAgain(): Promise<Outcome> {
    const { disk, directory, sizeBytes } = this.#options;
    const prepared = await this.#outcome;
    const isMade = prepared?.kind === 'made';
    try {
      const neededBytes = (isMade ? 0 : sizeBytes) + this.#missingBytes + marginBytes;
      if ((await disk.freeBytes(directory)) < neededBytes) return { kind: 'noRoom' };
    } catch (cause) {
      return { kind: 'failed', cause };
    }
    return isMade ? prepared : this.#make(sizeBytes);
  }

  #tell(): void {
    for (const listener of this.#listeners) listener(this.hasRoom);
  }
}
