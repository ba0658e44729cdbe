/**
 * Reads bodies: whatever their Content-Type, as they are, up to the limit of their resource. A body that is too large is
 * read to its end and dropped, up to a bound, so that the client comes to read the refusal: cutting the connection while
 * it still sends would reset it.
 */
import type { IncomingMessage } from 'node:http';
import { OperationalError } from '@ringleader/contracts';

export interface BodyLimit {
  readonly bytesMax: number;
  readonly code: 'VALUE_TOO_LARGE' | 'REQUEST_TOO_LARGE';
}

const DROPPED_BYTES_MAX = 16_777_216;

export function readBody(stream: IncomingMessage, limit: BodyLimit): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= limit.bytesMax) {
        chunks.push(chunk);
      } else {
        chunks.length = 0;
        if (bytes > DROPPED_BYTES_MAX) giveUp();
      }
    });
    stream.once('end', () => {
      if (bytes > limit.bytesMax) reject(tooLarge(limit, bytes));
      else resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, bytes));
    });
    stream.once('error', (cause) => reject(connectionLost(cause)));
    stream.once('close', () => {
      // Without its end the body is not whole: the client is gone.
      if (!stream.readableEnded) reject(connectionLost());
    });
    const giveUp = (): void => {
      stream.removeAllListeners('data');
      stream.pause();
      reject(tooLarge(limit, bytes));
    };
  });
}

/** Of a body so long that not even its end is waited for; null for any other. */
export function refusedLength(limit: BodyLimit, contentLength: number): OperationalError | null {
  return contentLength > DROPPED_BYTES_MAX ? tooLarge(limit, contentLength) : null;
}

function tooLarge({ code, bytesMax }: BodyLimit, bytes: number): OperationalError {
  const what = code === 'VALUE_TOO_LARGE' ? 'A value' : 'The body of this request';
  return new OperationalError(code, `${what} has at most ${bytesMax} bytes; this one has ${bytes} or more`, {
    bytesMax,
  });
}

function connectionLost(cause?: Error): OperationalError {
  return new OperationalError(
    'INVALID_ARGUMENT',
    'The body of the request was not complete',
    { field: 'body' },
    { cause },
  );
}
