import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';

export type LineContent =
  | { readonly kind: 'text'; readonly text: string }
  /** Longer than is kept in memory. */
  | { readonly kind: 'tooLong' }
  /** Decoding it would change what it says. */
  | { readonly kind: 'notUtf8' };

/** One line of a file, without its line feed. */
export interface Line {
  /** Counted from 1. */
  readonly number: number;
  /** Where the next line begins, in bytes. */
  readonly end: number;
  readonly content: LineContent;
}

export interface ReadFrom {
  readonly offset: number;
  /** Lines before the offset. */
  readonly lines: number;
}

const LINE_FEED = 0x0a;

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

  take(): LineContent {
    const content = this.#content();
    this.#pieces = [];
    this.#bytes = 0;
    return content;
  }

  #content(): LineContent {
    if (this.#bytes > this.bytesMax) return { kind: 'tooLong' };
    const bytes = Buffer.concat(this.#pieces);
    return isUtf8(bytes) ? { kind: 'text', text: bytes.toString('utf8') } : { kind: 'notUtf8' };
  }
}

/** The lines of a file from a place on. Memory is bounded, whatever the file holds. */
export async function* readLines(
  path: string,
  from: ReadFrom,
  lineBytesMax: number,
): AsyncGenerator<Line, void> {
  let { offset: end, lines: number } = from;
  const buffer = new LineBuffer(lineBytesMax);
  for await (const chunk of createReadStream(path, { start: from.offset, highWaterMark: 1 << 20 })) {
    let rest = chunk as Buffer;
    for (let at = rest.indexOf(LINE_FEED); at >= 0; at = rest.indexOf(LINE_FEED)) {
      buffer.add(rest.subarray(0, at));
      end += buffer.bytes + 1;
      number += 1;
      yield { number, end, content: buffer.take() };
      rest = rest.subarray(at + 1);
    }
    buffer.add(rest);
  }
  if (buffer.bytes > 0) yield { number: number + 1, end: end + buffer.bytes, content: buffer.take() };
}
