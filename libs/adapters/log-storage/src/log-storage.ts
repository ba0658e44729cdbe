/**
 * The durable memory of one Raft member: batches of entries and hard state in segments, snapshots beside them.
 * One call of `append` at a time; what it was given is on disk when it resolves, with one sync. After any failure
 * the log refuses everything: what the disk has is not known any more, and only a restart, which reads it, can tell.
 */
import type { FileLock } from '@ringleader/file-lock';
import { invariant } from '@ringleader/primitives';
import { join } from 'node:path';
import { encodeBatch, type LogBatch, type StoredBatch } from './batch-codec.js';
import type { Disk, DiskFile } from './disk.js';
import { ownerOf, writeIdentity } from './identity-file.js';
import { lastIndexOf, type RecoveredSegments, type SegmentSummary } from './recovery.js';
import { adoptSegment, markFollowed, markOwner, nobody, segmentHeaderBytes } from './segment.js';
import {
  listSnapshots,
  openSnapshot,
  type SnapshotFile,
  snapshotName,
  SnapshotWriter,
} from './snapshot-files.js';
import type { SpareSegment } from './spare-segment.js';
import { attempt, failedStorage, isOutOfRoom } from './storage-errors.js';
import type { LogHardState, LogIdentity, LogPoint, LogSnapshot } from './types.js';

/**
 * The last part of a segment, which only a full disk takes into use: for terms, votes, and what opens a term, each at most so large,
 * so that a member without room still elects and is elected. Hundreds of them fit.
 */
const reserveBytesMax = 64 * 1024;
const reservePart = 8;
const reservedFor = 256;

/** `noRoom`: nothing of it was written, and the log is whole. */
export type WriteOutcome = 'written' | 'noRoom';

/** What the log stands on from its opening to its end. */
export interface Foundation {
  readonly directory: string;
  readonly disk: Disk;
  readonly lock: FileLock;
  readonly segmentSizeBytes: number;
  readonly spare: SpareSegment;
}

export class LogStorage {
  readonly #foundation: Foundation;
  readonly #segments: SegmentSummary[];
  #file: DiskFile | null = null;
  #position: number;
  #nextSequence: number;
  #snapshot: LogPoint;
  #failure: Error | null = null;
  #isAppending = false;
  #snapshotsBegun = 0;
  #owner: number;

  /** Only for `openLogStorage`. */
  constructor(
    foundation: Foundation,
    found: RecoveredSegments,
    { snapshot, owner }: { readonly snapshot: LogPoint; readonly owner: number },
  ) {
    this.#owner = owner;
    this.#foundation = foundation;
    this.#segments = found.segments;
    this.#position = found.end;
    this.#nextSequence = found.nextSequence;
    this.#snapshot = snapshot;
  }

  /** Opens the last segment, or makes the first. Part of opening. */
  async prepare(): Promise<void> {
    const last = this.#segments.at(-1);
    if (last === undefined) {
      const full = { code: 'ENOSPC' };
      if (!(await this.#roll(0))) throw failedStorage('making the log', this.#foundation.directory, full);
      return;
    }
    // Which a crash prevented.
    await this.#markFollowed(this.#segments.at(-2));
    await this.#markOwner();
    this.#file = await this.#foundation.disk.open(last.path);
    this.#foundation.spare.prepare();
  }

  /**
   * That the log goes on behind the newest snapshot, which a crash prevented: what is written next would else be read as if it went on
   * behind the log before. Part of opening.
   */
  async recordSnapshot(hardState: LogHardState): Promise<void> {
    const record = { hardState, base: this.#snapshot, entries: [] };
    // Once it is known that there is no room, the reserve may be used.
    if ((await this.#appendRecord(record)) || (await this.#appendRecord(record))) return;
    throw failedStorage('beginning behind a snapshot', this.#foundation.directory, { code: 'ENOSPC' });
  }

  /** Without room it takes only what is small: a batch without entries. */
  get hasRoom(): boolean {
    return this.#foundation.spare.hasRoom;
  }

  /** Called at every change of `hasRoom`. */
  onRoom(listener: (hasRoom: boolean) => void): void {
    this.#foundation.spare.listen(listener);
  }

  /** Durable when it resolves with `written`. */
  async append(batch: LogBatch): Promise<WriteOutcome> {
    invariant(!this.#isAppending, 'one batch at a time is written');
    this.#isAppending = true;
    try {
      return await this.#orFail('writing a batch', async () => {
        const { hardState, entries, snapshot } = batch;
        const isInstalled =
          snapshot === null || (await this.#finish(snapshot.writer, snapshot.configuration));
        const base = snapshot?.writer.point ?? { index: 0, term: 0 };
        return isInstalled && (await this.#appendRecord({ hardState, base, entries })) ? 'written' : 'noRoom';
      });
    } finally {
      this.#isAppending = false;
    }
  }

  /** Durable when it resolves with `written`. May run beside an append. */
  saveSnapshot(snapshot: LogSnapshot): Promise<WriteOutcome> {
    return this.#orFail('writing a snapshot', async () => {
      const writer = this.receiveSnapshot(snapshot);
      if (await this.#writeAll(writer, snapshot)) return 'written';
      await writer.discard();
      return 'noRoom';
    });
  }

  /** A snapshot of another member's is to come, up to the point. */
  receiveSnapshot({ index, term }: LogPoint): SnapshotWriter {
    const { disk, directory } = this.#foundation;
    this.#snapshotsBegun += 1;
    return new SnapshotWriter(disk, directory, { point: { index, term }, mark: this.#snapshotsBegun });
  }

  /** Part of a snapshot that is being received: one call at a time for each. */
  addChunk(writer: SnapshotWriter, number: number, bytes: Uint8Array): Promise<WriteOutcome> {
    return this.#orFail('writing a chunk', async () =>
      (await this.#ifRoom(writer, () => writer.add(number, bytes))) ? 'written' : 'noRoom',
    );
  }

  /** It will never be a snapshot. */
  discard(writer: SnapshotWriter): Promise<void> {
    return this.#orFail('removing what is left of a snapshot', () => writer.discard());
  }

  /** Durable when it resolves. */
  saveIdentity(identity: LogIdentity): Promise<void> {
    const { disk, directory } = this.#foundation;
    return this.#orFail('writing the identity', async () => {
      await writeIdentity(disk, directory, identity);
      this.#owner = ownerOf(identity);
      await this.#markOwner();
    });
  }

  /** To be closed; null if there is none. */
  openNewestSnapshot(): Promise<SnapshotFile | null> {
    return this.#snapshot.index === 0 ? Promise.resolve(null) : this.openSnapshot(this.#snapshot);
  }

  /** To be closed. */
  openSnapshot(point: LogPoint): Promise<SnapshotFile> {
    const { disk, directory } = this.#foundation;
    return this.#orFail('reading a snapshot', () => openSnapshot(disk, directory, point));
  }

  /** Removes older snapshots, and the segments which hold nothing but entries before `index`, which a snapshot covers. */
  async compact(index: number): Promise<void> {
    invariant(index <= this.#snapshot.index, 'only what a snapshot covers is compacted');
    await this.#orFail('removing old segments', async () => {
      const { disk, directory } = this.#foundation;
      // The entry at the snapshot's end stays, because its term shows that the log continues the snapshot.
      while (this.#segments.length > 1 && this.#segments[0]!.lastIndex < index) {
        await disk.remove(this.#segments[0]!.path);
        // Else the disk could keep this one and lose the next: a gap, which is damage.
        await disk.syncDirectory(directory);
        this.#segments.shift();
      }
      for (const point of await listSnapshots(disk, directory)) {
        if (point.index < this.#snapshot.index) await disk.remove(join(directory, snapshotName(point)));
      }
    });
  }

  /** Waits for nothing: whoever closes has no append under way. */
  async close(): Promise<void> {
    invariant(!this.#isAppending, 'closed while a batch was being written');
    this.#failure ??= new Error('the log is closed');
    await this.#foundation.spare.close();
    await this.#file?.close();
    await this.#foundation.lock.release();
  }

  async #writeAll(writer: SnapshotWriter, { configuration, chunks }: LogSnapshot): Promise<boolean> {
    let number = 0;
    for (const chunk of chunks) {
      const at = number;
      if (!(await this.#ifRoom(writer, () => writer.add(at, chunk)))) return false;
      number += 1;
    }
    return this.#finish(writer, configuration);
  }

  /** False where there is no room for it. */
  async #finish(writer: SnapshotWriter, configuration: Uint8Array): Promise<boolean> {
    const { point } = writer;
    // It has its name already where the record was what there was no room for.
    if (writer.isFinished) return true;
    if (!(await this.#ifRoom(writer, () => writer.finish(configuration)))) return false;
    if (point.index > this.#snapshot.index) this.#snapshot = point;
    return true;
  }

  /** False where there is no room for what `work` adds to the snapshot. */
  async #ifRoom(writer: SnapshotWriter, work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      if (!isOutOfRoom(error)) throw error;
      return this.#foundation.spare.lack(writer.sizeBytes);
    }
  }

  /** False where there is no room for it. */
  async #appendRecord(batch: StoredBatch): Promise<boolean> {
    const record = encodeBatch(batch, this.#nextSequence);
    if (!this.#fits(record.length) && !(await this.#roll(record.length))) return false;
    const segment = this.#segments.at(-1)!;
    const file = this.#file!;
    await file.write(record, this.#position);
    await file.datasync();
    this.#position += record.length;
    this.#nextSequence += 1;
    segment.lastIndex = Math.max(segment.lastIndex, lastIndexOf(batch.entries, batch.base));
    return true;
  }

  #fits(recordBytes: number): boolean {
    const isReservedFor = !this.hasRoom && recordBytes <= reservedFor;
    const reserveBytes = isReservedFor ? 0 : this.#reserveBytes;
    return this.#position + recordBytes <= this.#segments.at(-1)!.sizeBytes - reserveBytes;
  }

  get #reserveBytes(): number {
    return Math.min(reserveBytesMax, Math.floor(this.#foundation.segmentSizeBytes / reservePart));
  }

  /** Goes on in a new segment, with room for a record of the size. False where there is no room for it. */
  async #roll(recordBytes: number): Promise<boolean> {
    const { disk, directory, segmentSizeBytes, spare } = this.#foundation;
    const neededBytes = segmentHeaderBytes + recordBytes + this.#reserveBytes;
    const sizeBytes = Math.max(segmentSizeBytes, neededBytes);
    if (!(await spare.take(sizeBytes))) return false;
    await this.#file?.close();
    const number = (this.#segments.at(-1)?.number ?? 0) + 1;
    const header = { number, firstSequence: this.#nextSequence, sizeBytes, owner: this.#owner };
    const path = await adoptSegment(disk, directory, spare.path, header);
    await this.#markFollowed(this.#segments.at(-1));
    this.#segments.push({ number, path, sizeBytes, lastIndex: 0, isFollowed: false, owner: this.#owner });
    this.#file = await disk.open(path);
    this.#position = segmentHeaderBytes;
    spare.prepare();
    return true;
  }

  async #markFollowed(segment: SegmentSummary | undefined): Promise<void> {
    if (segment?.isFollowed !== false) return;
    await markFollowed(this.#foundation.disk, segment.path);
    segment.isFollowed = true;
  }

  /** After the identity says it: of what a crash leaves unmarked nothing is held against anybody. */
  async #markOwner(): Promise<void> {
    if (this.#owner === nobody) return;
    for (const segment of this.#segments) {
      if (segment.owner !== nobody) continue;
      await markOwner(this.#foundation.disk, segment.path, this.#owner);
      segment.owner = this.#owner;
    }
  }

  async #orFail<T>(action: string, work: () => Promise<T>): Promise<T> {
    if (this.#failure !== null) throw this.#failure;
    try {
      return await attempt(action, this.#foundation.directory, work);
    } catch (error) {
      this.#failure ??= error as Error;
      throw this.#failure;
    }
  }
}
