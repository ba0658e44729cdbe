/**
 * What a row remembers of its last writes, as it is kept in memory: the bytes in which it travels and is stored, as a
 * string (`packBytes`). A leader looks at the marks of a row, adds one and writes them twice with every write of the key,
 * mostly long after the last time: objects, their texts and numbers would be a dozen places in memory that no cache has
 * any more, and all of them to be followed by the collector.
 */
import {
  ByteReader,
  ByteWriter,
  fields,
  type HybridTime,
  instant,
  type Revision,
  string,
  unpackBytes,
  varint,
} from '@ringleader/primitives';
import type { RequestMark, RequestMarks } from './records.js';
import { isKeyed, KEYED_ID_PREFIX } from './requests.js';

export const markCodec = fields<RequestMark>({
  id: string,
  origin: instant,
  revision: varint,
  version: varint,
});

/** Before the text of an id; and what an instant takes. */
const LENGTH_BYTES = 2;
const INSTANT_BYTES = 8;
const LAST_OF_ASCII = 0x7f;

const scratch = new ByteWriter();
const instantBytes = new DataView(new ArrayBuffer(INSTANT_BYTES));

export class PackedMarks implements RequestMarks {
  static readonly none = new PackedMarks(0, false, '');

  /** `packed` is the marks one behind the other, the oldest first, without their number. */
  private constructor(
    readonly length: number,
    readonly mayBeKeyed: boolean,
    private readonly packed: string,
  ) {}

  static of(marks: RequestMarks): PackedMarks {
    if (marks instanceof PackedMarks) return marks;
    let mayBeKeyed = false;
    for (const mark of marks) {
      if (isKeyed(mark.id)) mayBeKeyed = true;
      markCodec.write(scratch, mark);
    }
    return new PackedMarks(marks.length, mayBeKeyed, scratch.takePacked());
  }

  /** Sees that they are well-formed. */
  static read(reader: ByteReader): PackedMarks {
    const count = reader.count();
    if (count === 0) return PackedMarks.none;
    const from = reader.position;
    let mayBeKeyed = false;
    for (let i = 0; i < count; i += 1) {
      if (reader.skipString(KEYED_ID_PREFIX)) mayBeKeyed = true;
      reader.instant();
      reader.varint();
      reader.varint();
    }
    return new PackedMarks(count, mayBeKeyed, reader.packedSince(from));
  }

  write(writer: ByteWriter): void {
    writer.varint(this.length).packed(this.packed);
  }

  find(id: string): RequestMark | undefined {
    if (!isAscii(id)) return [...this].find((mark) => mark.id === id);
    const { packed } = this;
    for (let at = 0; at < packed.length; at = endOfMark(packed, at)) {
      if (isIdAt(packed, at, id)) return markAt(packed, at);
    }
    return undefined;
  }

  /** With one more, the newest, and of more than `max` the last ones; `forgotten` is the latest origin of the others, or 0. */
  with(mark: RequestMark, max: number): { readonly marks: PackedMarks; readonly forgotten: HybridTime } {
    const { packed } = this;
    let [from, length, forgotten] = [0, this.length, 0];
    for (; length > 0 && length >= max; length -= 1) {
      forgotten = Math.max(forgotten, originAt(packed, from));
      from = endOfMark(packed, from);
    }
    markCodec.write(scratch.packed(packed), mark);
    const mayBeKeyed = this.mayBeKeyed || isKeyed(mark.id);
    return { marks: new PackedMarks(length + 1, mayBeKeyed, scratch.takePacked(from)), forgotten };
  }

  /** Those of later revisions. */
  past(revision: Revision): readonly RequestMark[] {
    const { packed } = this;
    const later: RequestMark[] = [];
    for (let at = 0; at < packed.length; at = endOfMark(packed, at)) {
      if (revisionAt(packed, at) > revision) later.push(markAt(packed, at));
    }
    return later;
  }

  *[Symbol.iterator](): Iterator<RequestMark> {
    const reader = readerOf(this.packed);
    while (!reader.atEnd) yield markCodec.read(reader);
  }
}

const readerOf = (packed: string): ByteReader => new ByteReader(unpackBytes(packed));

function idBytes(packed: string, at: number): number {
  return packed.charCodeAt(at) + packed.charCodeAt(at + 1) * 256;
}

/** Of an id of ASCII characters. From the end, where ids of one gateway differ. */
function isIdAt(packed: string, at: number, id: string): boolean {
  if (idBytes(packed, at) !== id.length) return false;
  const start = at + LENGTH_BYTES;
  for (let i = id.length - 1; i >= 0; i -= 1) {
    if (packed.charCodeAt(start + i) !== id.charCodeAt(i)) return false;
  }
  return true;
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) if (text.charCodeAt(i) > LAST_OF_ASCII) return false;
  return true;
}

function originAt(packed: string, at: number): HybridTime {
  const start = at + LENGTH_BYTES + idBytes(packed, at);
  for (let i = 0; i < INSTANT_BYTES; i += 1) instantBytes.setUint8(i, packed.charCodeAt(start + i));
  return instantBytes.getFloat64(0, true);
}

const placeOfRevision = (packed: string, at: number): number =>
  at + LENGTH_BYTES + idBytes(packed, at) + INSTANT_BYTES;

function revisionAt(packed: string, at: number): Revision {
  return varintAt(packed, placeOfRevision(packed, at));
}

function varintAt(packed: string, at: number): number {
  let [place, value, factor] = [at, 0, 1];
  for (; packed.charCodeAt(place) > LAST_OF_ASCII; place += 1, factor *= 128) {
    value += (packed.charCodeAt(place) - LAST_OF_ASCII - 1) * factor;
  }
  return value + packed.charCodeAt(place) * factor;
}

/** As the codec reads it; without its reader, which costs ten times as much. */
function markAt(packed: string, at: number): RequestMark {
  const start = at + LENGTH_BYTES;
  const id = packed.slice(start, start + idBytes(packed, at));
  const revision = placeOfRevision(packed, at);
  return {
    id: isAscii(id) ? id : markCodec.read(readerOf(packed.slice(at))).id,
    origin: originAt(packed, at),
    revision: varintAt(packed, revision),
    version: varintAt(packed, endOfVarint(packed, revision)),
  };
}

function endOfMark(packed: string, at: number): number {
  return endOfVarint(packed, endOfVarint(packed, placeOfRevision(packed, at)));
}

function endOfVarint(packed: string, at: number): number {
  let last = at;
  while (packed.charCodeAt(last) > LAST_OF_ASCII) last += 1;
  return last + 1;
}
