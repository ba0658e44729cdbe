/** The log of one test: its folder, what the test has open in it, and what is written there. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from '@jest/globals';
import type { LogBatch } from '../src/batch-codec.js';
import type { LogStorage } from '../src/log-storage.js';
import { type LogStorageOptions, type OpenedLog, openLogStorage } from '../src/open-log.js';
import type { LogEntry, LogSnapshot, RecoveredLog } from '../src/types.js';

export const segmentSizeBytes = 4096;

export const entry = (index: number, term: number, text = `entry ${String(index)}`): LogEntry => ({
  index,
  term,
  kind: 1,
  data: new TextEncoder().encode(text),
});
export const batch = (entries: LogEntry[], term = 1): LogBatch => ({
  hardState: { term, vote: 2, commit: 0 },
  entries,
  snapshot: null,
});
/** Of entries of which a dozen fill a segment. */
export const batchOf = (term: number, ...indexes: number[]): LogBatch =>
  batch(
    indexes.map((index) => entry(index, term, 'x'.repeat(300))),
    term,
  );
export const snapshot = (index: number, term: number): LogSnapshot => ({
  index,
  term,
  configuration: new Uint8Array([7, 8, 9]),
  chunks: [new Uint8Array([1, 2]), new Uint8Array(), new Uint8Array([3])],
});
export const terms = ({ entries }: RecoveredLog): [number, number][] =>
  entries.map(({ index, term }) => [index, term]);

/** The newest one, whole. */
export async function readSnapshot(storage: LogStorage): Promise<LogSnapshot | null> {
  const file = await storage.openNewestSnapshot();
  if (file === null) return null;
  const { index, term, configuration } = file;
  try {
    const chunks: Uint8Array[] = [];
    for (const chunk of file.chunks) chunks.push(new Uint8Array(await chunk.read()));
    return { index, term, configuration, chunks };
  } finally {
    await file.close();
  }
}

export class TestLog {
  directory = '';
  readonly #opened = new Set<LogStorage>();

  begin(): void {
    this.directory = mkdtempSync(join(tmpdir(), 'log-storage-'));
  }

  async end(): Promise<void> {
    await this.closeAll();
    rmSync(this.directory, { recursive: true });
  }

  async open(options: Partial<LogStorageOptions> = {}): Promise<OpenedLog> {
    const log = await openLogStorage({ directory: this.directory, segmentSizeBytes, ...options });
    this.#opened.add(log.storage);
    return log;
  }

  async close(storage: LogStorage): Promise<void> {
    this.#opened.delete(storage);
    await storage.close();
  }

  async closeAll(): Promise<void> {
    for (const storage of this.#opened) await this.close(storage);
  }

  /** As a restart does. */
  async reopen(options?: Partial<LogStorageOptions>): Promise<OpenedLog> {
    await this.closeAll();
    return this.open(options);
  }

  /** What a start would find. */
  async recover(directory = this.directory): Promise<RecoveredLog> {
    const { storage, recovered } = await this.open({ directory });
    await this.close(storage);
    return recovered;
  }

  /** So many batches of one entry, each of a term of its own. */
  async write(count: number, dataBytes = 10): Promise<void> {
    const { storage } = await this.open();
    for (let i = 1; i <= count; i++) await storage.append(batch([entry(i, 1, 'x'.repeat(dataBytes))], i));
    await this.close(storage);
  }

  segments(directory = this.directory): string[] {
    return readdirSync(directory).filter((name) => name.endsWith('.log'));
  }
}

/** A folder for each test of the file, which is removed after it. */
export function testLog(): TestLog {
  const log = new TestLog();
  beforeEach(() => {
    log.begin();
  });
  afterEach(() => log.end());
  return log;
}
