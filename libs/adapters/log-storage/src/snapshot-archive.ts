/**
 * A snapshot of the coordinators' store as a file that operators keep, and as a stream on its way there:
 *
 *   magic 8 bytes | version u32 | header: length u32, JSON | then per piece: length u32 (not 0), bytes
 *   | 0 u32 | SHA-256 of all before it, 32 bytes
 *
 * Only who has read the end knows that it is whole.
 */
import { createHash, type Hash } from 'node:crypto';

export interface ArchiveHeader {
  readonly cluster: string;
  readonly revision: number;
  readonly compactedRevision: number;
  /** Of the store at `revision`. */
  readonly hash: string;
  /** The member that it was taken from, when, by which version. */
  readonly member: string;
  readonly takenAt: string;
  readonly version: string;
}

const MAGIC = Buffer.from('RLCOSNAP', 'latin1');
const FORMAT_VERSION = 1;
const LENGTH_BYTES = 4;
const PREAMBLE_BYTES = MAGIC.length + 2 * LENGTH_BYTES;
const CHECKSUM_BYTES = 32;
/** More than this is no length that was ever written. */
const PIECE_BYTES_MAX = 67_108_864;
const NOTHING = Buffer.alloc(0);

/** Pieces of 67 MB at most, in one array of bytes each: it is never in memory as a whole. */
export function* archiveOf(
  header: ArchiveHeader,
  pieces: Iterable<Uint8Array>,
): Generator<Uint8Array, void, undefined> {
  const checksum = createHash('sha256');
  const summed = (bytes: Buffer): Buffer => {
    checksum.update(bytes);
    return bytes;
  };
  const json = Buffer.from(JSON.stringify(header));
  yield summed(Buffer.concat([MAGIC, length(FORMAT_VERSION), length(json.length), json]));
  for (const piece of pieces) {
    if (piece.byteLength > 0) yield summed(Buffer.concat([length(piece.byteLength), piece]));
  }
  const end = summed(length(0));
  yield Buffer.concat([end, checksum.digest()]);
}

/** What is wrong with a file, in words that end a sentence. */
export class DamagedArchiveError extends Error {
  override readonly name = 'DamagedArchiveError';
}

/** Reads an archive as it comes, cut anywhere. */
export class ArchiveReader {
  readonly #checksum: Hash = createHash('sha256');
  #pending: Buffer = NOTHING;
  #header: ArchiveHeader | null = null;
  #isAtEnd = false;

  constructor(private readonly take: (piece: Uint8Array) => void) {}

  push(bytes: Uint8Array): void {
    this.#pending = this.#pending.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.#pending, bytes]);
    if (this.#header === null) this.#readHeader();
    while (this.#header !== null && this.#readPiece());
  }

  /** Throws unless all of it has come, and as it was written. */
  finish(): ArchiveHeader {
    if (this.#header === null || !this.#isAtEnd || this.#pending.length < CHECKSUM_BYTES) {
      throw new DamagedArchiveError('it has no end: it was cut off');
    }
    if (this.#pending.length > CHECKSUM_BYTES) throw new DamagedArchiveError('there is more behind its end');
    if (!this.#checksum.digest().equals(this.#pending)) {
      throw new DamagedArchiveError('its checksum does not match');
    }
    return this.#header;
  }

  #readHeader(): void {
    const bytes = this.#pending;
    const magic = bytes.subarray(0, MAGIC.length);
    if (!magic.equals(MAGIC.subarray(0, magic.length))) {
      throw new DamagedArchiveError('it is no snapshot of coordinators');
    }
    if (bytes.length < PREAMBLE_BYTES) return;
    const version = bytes.readUInt32LE(MAGIC.length);
    if (version !== FORMAT_VERSION) {
      throw new DamagedArchiveError(`its format is ${version}, and this program reads ${FORMAT_VERSION}`);
    }
    const end = PREAMBLE_BYTES + plausible(bytes.readUInt32LE(MAGIC.length + LENGTH_BYTES));
    if (bytes.length < end) return;
    this.#header = headerIn(bytes.subarray(PREAMBLE_BYTES, end).toString());
    this.#consume(end);
  }

  /** False when there is none as a whole. */
  #readPiece(): boolean {
    if (this.#isAtEnd || this.#pending.length < LENGTH_BYTES) return false;
    const size = plausible(this.#pending.readUInt32LE(0));
    if (this.#pending.length < LENGTH_BYTES + size) return false;
    const piece = this.#pending.subarray(LENGTH_BYTES, LENGTH_BYTES + size);
    this.#consume(LENGTH_BYTES + size);
    if (size === 0) this.#isAtEnd = true;
    else this.take(piece);
    return !this.#isAtEnd;
  }

  #consume(count: number): void {
    this.#checksum.update(this.#pending.subarray(0, count));
    this.#pending = this.#pending.subarray(count);
  }
}

function plausible(size: number): number {
  if (size <= PIECE_BYTES_MAX) return size;
  throw new DamagedArchiveError('a length in it is none that was ever written');
}

/** Whether it is what was written, the checksum at the end tells. */
function headerIn(json: string): ArchiveHeader {
  try {
    return JSON.parse(json) as ArchiveHeader;
  } catch (cause) {
    throw new DamagedArchiveError('its header is not what was written', { cause });
  }
}

function length(value: number): Buffer {
  const bytes = Buffer.alloc(LENGTH_BYTES);
  bytes.writeUInt32LE(value);
  return bytes;
}
