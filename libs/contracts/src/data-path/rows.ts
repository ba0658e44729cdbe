/** The parts that messages, requests and replies share: rows and positions. */
import {
  ByteReader,
  type ByteWriter,
  bytes,
  type Codec,
  constant,
  fields,
  instant,
  listOf,
  MalformedBytesError,
  optional,
  string,
  varint,
} from '@ringleader/primitives';
import {
  KEYED_ID_PREFIX,
  type Position,
  type RequestMark,
  type RequestMarks,
  type Row,
} from '@ringleader/paxos';

/** One byte instead of the text for the usual types. Codes are part of the format: append only. 0 is "spelled out". */
const CONTENT_TYPES: readonly string[] = [
  '',
  'application/octet-stream',
  'application/json',
  'text/plain',
  'text/plain; charset=utf-8',
  'text/plain;charset=utf-8',
  'application/json; charset=utf-8',
  'application/x-www-form-urlencoded',
  'application/x-protobuf',
  'application/yaml',
];
const NO_REQUESTS: RequestMarks = [];
const CODE_BY_CONTENT_TYPE = new Map(CONTENT_TYPES.map((type, index) => [type, index + 1]));

export const contentTypeCodec: Codec<string> = {
  write(writer, contentType) {
    const code = CODE_BY_CONTENT_TYPE.get(contentType) ?? 0;
    writer.uint8(code);
    if (code === 0) writer.string(contentType);
  },
  read(reader) {
    const code = reader.uint8();
    if (code === 0) return reader.string();
    const contentType = CONTENT_TYPES[code - 1];
    if (contentType === undefined) throw new MalformedBytesError('unknown content type code');
    return contentType;
  },
};

export const positionCodec = fields<Position>({ ballot: varint, revision: varint });

export const markCodec = fields<RequestMark>({
  id: string,
  origin: instant,
  revision: varint,
  version: varint,
});
const listOfMarks = listOf(markCodec);

/** Marks as they were written. */
class WrittenMarks implements RequestMarks {
  constructor(
    readonly length: number,
    readonly mayBeKeyed: boolean,
    readonly bytes: Uint8Array,
  ) {}

  [Symbol.iterator](): Iterator<RequestMark> {
    return listOfMarks.read(new ByteReader(this.bytes))[Symbol.iterator]();
  }
}

function writeMarks(writer: ByteWriter, marks: RequestMarks): void {
  if (marks instanceof WrittenMarks) writer.raw(marks.bytes);
  else listOfMarks.write(writer, Array.isArray(marks) ? (marks as readonly RequestMark[]) : [...marks]);
}

/** Marks are written as they are in memory, whatever that is, and read as an array. */
export const requestMarksCodec = { write: writeMarks, read: listOfMarks.read } satisfies Codec<RequestMarks>;

/** What a follower only hands on to its storage: as checked, and not made objects of. */
const marksHandedOn: Codec<RequestMarks> = {
  write: writeMarks,
  read(reader) {
    const from = reader.position;
    const count = reader.count();
    let mayBeKeyed = false;
    for (let i = 0; i < count; i += 1) {
      if (reader.skipString(KEYED_ID_PREFIX)) mayBeKeyed = true;
      reader.instant();
      reader.varint();
      reader.varint();
    }
    return count === 0 ? NO_REQUESTS : new WrittenMarks(count, mayBeKeyed, reader.since(from));
  },
};

const visible = {
  key: string,
  value: optional(bytes),
  contentType: contentTypeCodec,
  revision: varint,
  version: varint,
  createdAt: instant,
  modifiedAt: instant,
  expiresAt: optional(instant),
};

/** A row as clients see it: what the group remembers of its requests stays inside. */
export const visibleRowCodec = fields<Row>({
  ...visible,
  requests: constant(NO_REQUESTS),
  requestFloor: constant(0),
});

export const rowsCodec = listOf(
  fields<Row>({ ...visible, requests: requestMarksCodec, requestFloor: instant }),
);

/** The same bytes, of a batch. */
export const batchRowsCodec = listOf(
  fields<Row>({ ...visible, requests: marksHandedOn, requestFloor: instant }),
);
