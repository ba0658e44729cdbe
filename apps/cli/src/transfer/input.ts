/**
 * What an import reads: a file, or standard input; either of them plain or compressed by gzip, which its first bytes
 * tell. Memory is bounded, whatever the input holds.
 */
import { isAscii, isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { CliFailure, EXIT } from '../failure.js';
import { standardInput } from '../standard-input.js';

export type LineContent =
  | { readonly kind: 'text'; readonly text: string }
  /** Longer than is kept in memory. */
  | { readonly kind: 'tooLong' }
  /** Decoding it would change what it says. */
  | { readonly kind: 'notUtf8' };

/** One line of the input, without its line feed. */
export interface Line {
  /** Counted from 1. */
  readonly number: number;
  /** Where the next line begins, in bytes of the text (of what a compressed input holds). */
  readonly end: number;
  readonly content: LineContent;
}

export interface ReadFrom {
  readonly offset: number;
  /** Lines before the offset. */
  readonly lines: number;
}

export interface Input {
  /** For messages, and the stem of the files that an import writes beside its input. */
  readonly name: string;
  /** Tells files apart that have the same name; null for what cannot be read again, so that nothing can go on behind it. */
  readonly identity: string | null;
  /** Bytes of the text; null where only the end will tell. */
  readonly bytes: number | null;
  /** As many lines at a time as come together. */
  read(from: ReadFrom, lineBytesMax: number): AsyncGenerator<readonly Line[], void>;
  /** No more is wanted: ends a `read` that waits for what may never come, which fails then. */
  close(): void;
}

export const STANDARD_INPUT = '-';

const LINE_FEED = 0x0a;
const HEAD_BYTES = 65_536;
const CHUNK_BYTES = 1 << 20;
const GZIP = Buffer.from([0x1f, 0x8b]);
const UTF8_MARK = Buffer.from([0xef, 0xbb, 0xbf]);
const UTF16_MARKS = [Buffer.from([0xff, 0xfe]), Buffer.from([0xfe, 0xff])];

const startsWith = (bytes: Buffer, mark: Buffer): boolean => bytes.subarray(0, mark.length).equals(mark);

export async function openInput(path: string): Promise<Input> {
  if (path === STANDARD_INPUT) {
    const stream = standardInput();
    return {
      name: 'standard input',
      identity: null,
      bytes: null,
      read: (from, lineBytesMax) => linesOf(plainText(stream, 0), from, lineBytesMax),
      close: () => stream.destroy(),
    };
  }
  const { identity, bytes, isCompressed } = await look(path);
  return {
    name: path,
    identity,
    bytes: isCompressed ? null : bytes,
    read: async function* (from, lineBytesMax) {
      if (!isCompressed && from.offset > bytes) throw beyondTheEnd();
      // Only the beginning tells that a file is compressed, and what is compressed is read from there.
      const start = isCompressed ? 0 : from.offset;
      const file = createReadStream(path, { start, highWaterMark: CHUNK_BYTES });
      const text = isCompressed ? plainText(file, from.offset) : chunksOf(file);
      yield* linesOf(text, from, lineBytesMax);
      if ((await look(path)).identity === identity) return;
      throw new CliFailure(`${path} was changed while it was read: import it again.`);
    },
    // A file never keeps anybody waiting.
    close: () => undefined,
  };
}

async function look(path: string): Promise<{ identity: string; bytes: number; isCompressed: boolean }> {
  const file = await open(path, 'r').catch((cause: NodeJS.ErrnoException) => {
    const sentence =
      cause.code === 'ENOENT' ? `There is no file ${path}.` : `${path} cannot be read: ${cause.message}.`;
    throw new CliFailure(sentence, { cause, exitCode: EXIT.usage });
  });
  try {
    const status = await file.stat();
    const { size, mtimeMs } = status;
    if (!status.isFile()) {
      const sentence = `${path} is not a file; a pipe is read as standard input, with - in place of its name.`;
      throw new CliFailure(sentence, { exitCode: EXIT.usage });
    }
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    const head = buffer.subarray(0, bytesRead);
    const hash = createHash('sha256').update(`${size} ${mtimeMs} `).update(head);
    return { identity: hash.digest('hex'), bytes: size, isCompressed: startsWith(head, GZIP) };
  } finally {
    await file.close();
  }
}

async function* chunksOf(stream: Readable): AsyncGenerator<Buffer, void> {
  for await (const chunk of stream) yield chunk as Buffer;
}

/** The text of a stream from its beginning, unpacked if it is compressed, without its first `skip` bytes. */
async function* plainText(stream: Readable, skip: number): AsyncGenerator<Buffer, void> {
  const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let head = Buffer.alloc(0);
  let ended = false;
  while (!ended && head.length < GZIP.length) {
    const next = await chunks.next();
    if (next.done === true) ended = true;
    else head = Buffer.concat([head, next.value]);
  }
  const whole = (async function* () {
    yield head;
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value;
  })();
  let left = skip;
  for await (const chunk of startsWith(head, GZIP) ? unpacked(whole) : whole) {
    if (chunk.length <= left) left -= chunk.length;
    else {
      yield chunk.subarray(left);
      left = 0;
    }
  }
  if (left > 0) throw beyondTheEnd();
}

function beyondTheEnd(): CliFailure {
  const sentence = 'The place to go on from is beyond the end of the input: move the file of --state away.';
  return new CliFailure(sentence, { exitCode: EXIT.usage });
}

async function* unpacked(packed: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
  const feeding = (async () => {
    for await (const chunk of packed) {
      if (!gunzip.write(chunk)) await new Promise((resolve) => gunzip.once('drain', resolve));
    }
    gunzip.end();
  })();
  feeding.catch((error: Error) => gunzip.destroy(error));
  try {
    for await (const chunk of gunzip) yield chunk as Buffer;
  } catch (cause) {
    const { message } = cause as Error;
    throw new CliFailure(`The compressed input is damaged or was cut off: ${message}.`, { cause });
  } finally {
    gunzip.destroy();
  }
}

/** Collects the pieces of one line, as far as it is not too long. */
class LineBuffer {
  #pieces: Buffer[] = [];
  #bytes = 0;

  constructor(private readonly bytesMax: number) {}

  get bytes(): number {
    return this.#bytes;
  }

  add(piece: Buffer): void {
    this.#bytes += piece.length;
    if (this.#bytes > this.bytesMax) this.#pieces = [];
    else this.#pieces.push(piece);
  }

  take(isFirst: boolean): LineContent {
    const content = this.#content(isFirst);
    this.#pieces = [];
    this.#bytes = 0;
    return content;
  }

  #content(isFirst: boolean): LineContent {
    if (this.#bytes > this.bytesMax) return { kind: 'tooLong' };
    const all = Buffer.concat(this.#pieces);
    if (isFirst && UTF16_MARKS.some((mark) => startsWith(all, mark))) {
      const sentence = 'The input is UTF-16; it must be UTF-8 (iconv -f UTF-16 -t UTF-8).';
      throw new CliFailure(sentence, { exitCode: EXIT.usage });
    }
    // A byte order mark says how the text is encoded, and is no part of it.
    const bytes = isFirst && startsWith(all, UTF8_MARK) ? all.subarray(UTF8_MARK.length) : all;
    return isUtf8(bytes) ? { kind: 'text', text: bytes.toString('utf8') } : { kind: 'notUtf8' };
  }
}

async function* linesOf(
  chunks: AsyncIterable<Buffer>,
  from: ReadFrom,
  lineBytesMax: number,
): AsyncGenerator<readonly Line[], void> {
  let { offset: end, lines: number } = from;
  const buffer = new LineBuffer(lineBytesMax);
  for await (const chunk of chunks) {
    const lines: Line[] = [];
    // ASCII is the same in Latin-1, which is read at once.
    const isPlain = isAscii(chunk);
    let start = 0;
    for (let at = chunk.indexOf(LINE_FEED); at >= 0; at = chunk.indexOf(LINE_FEED, start)) {
      number += 1;
      const isWhole = buffer.bytes === 0 && number > 1 && isPlain && at - start <= lineBytesMax;
      if (!isWhole) buffer.add(chunk.subarray(start, at));
      end += 1 + (isWhole ? at - start : buffer.bytes);
      const content: LineContent = isWhole
        ? { kind: 'text', text: chunk.toString('latin1', start, at) }
        : buffer.take(number === 1);
      lines.push({ number, end, content });
      start = at + 1;
    }
    buffer.add(chunk.subarray(start));
    if (lines.length > 0) yield lines;
  }
  if (buffer.bytes > 0) {
    yield [{ number: number + 1, end: end + buffer.bytes, content: buffer.take(number === 0) }];
  }
}
