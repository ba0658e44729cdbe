/**
 * What a request's target names: the path, the key, the query. The router of the web framework decodes paths in a way of
 * its own and bounds their parts, so keys are taken from the target as it was received, byte for byte.
 */
import { isUtf8 } from 'node:buffer';
import { OperationalError, REST_LIMITS } from '@ringleader/contracts';

/** Text as it stands in a target. */
export interface EncodedText {
  /** Begins the sentence of a refusal. */
  readonly what: string;
  readonly parameter: string;
  readonly plusIsSpace: boolean;
}

export const KEYS_PATH = '/v1/kv/';

const PERCENT = 0x25;
const PLUS = 0x2b;
const SPACE = 0x20;
const KEY_TEXT: EncodedText = { what: 'The key', parameter: 'key', plusIsSpace: false };
const NOT_PLAIN = /[^\x21-\x24\x26-\x7e]/;

/** `http://host/path` is a valid target too (RFC 9112, 3.2.2). */
export function originForm(target: string): string {
  if (target.charCodeAt(0) === 0x2f) return target;
  const match = /^https?:\/\/[^/?#]*/i.exec(target);
  if (match === null) return target;
  const rest = target.slice(match[0].length);
  return rest.startsWith('/') ? rest : `/${rest}`;
}

export function pathOf(target: string): string {
  const end = target.indexOf('?');
  return end === -1 ? target : target.slice(0, end);
}

/** Without the question mark; empty when there is none. */
export function queryOf(target: string): string {
  const start = target.indexOf('?');
  return start === -1 ? '' : target.slice(start + 1);
}

/** The key of a target below `/v1/kv/`. */
export function keyOf(target: string): string {
  const encoded = pathOf(originForm(target)).slice(KEYS_PATH.length);
  const key = percentDecode(encoded, KEY_TEXT);
  checkKey(key);
  return key;
}

export function checkKey(key: string): void {
  if (key.length === 0) {
    throw new OperationalError('INVALID_ARGUMENT', 'A key has 1 to 1,024 bytes; this one is empty', {
      parameter: 'key',
    });
  }
  if (!key.isWellFormed()) {
    throw new OperationalError('INVALID_ARGUMENT', 'A key is UTF-8; this one holds half a surrogate pair', {
      parameter: 'key',
    });
  }
  checkKeyLength(key);
}

function checkKeyLength(key: string): void {
  const { keyBytesMax } = REST_LIMITS;
  // A UTF-16 unit takes at most three bytes, so most keys need no count.
  if (key.length * 3 <= keyBytesMax) return;
  const keyBytes = Buffer.byteLength(key);
  if (keyBytes <= keyBytesMax) return;
  const detail = `A key has at most ${keyBytesMax} bytes of UTF-8; this one has ${keyBytes}`;
  throw new OperationalError('KEY_TOO_LONG', detail, { keyBytes, keyBytesMax });
}

/** Decodes once. `text` comes from Node's parser, where every char is one byte. */
export function percentDecode(text: string, kind: EncodedText): string {
  const { plusIsSpace } = kind;
  if (!NOT_PLAIN.test(text) && !(plusIsSpace && text.includes('+'))) return text;
  const bytes = Buffer.allocUnsafe(text.length);
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    let byte = text.charCodeAt(i);
    if (byte === PERCENT) {
      byte = hexByte(text, i + 1, kind);
      i += 2;
    } else if (byte === PLUS && plusIsSpace) {
      byte = SPACE;
    }
    bytes[length++] = byte;
  }
  const decoded = bytes.subarray(0, length);
  if (isUtf8(decoded)) return decoded.toString();
  const { what, parameter } = kind;
  throw new OperationalError('INVALID_ARGUMENT', `${what} is not valid UTF-8 once decoded`, { parameter });
}

function hexByte(text: string, at: number, { what, parameter }: EncodedText): number {
  const high = hexDigit(text.charCodeAt(at));
  const low = hexDigit(text.charCodeAt(at + 1));
  if (high >= 0 && low >= 0) return high * 16 + low;
  throw new OperationalError(
    'INVALID_ARGUMENT',
    `${what} has a percent sign that no two hexadecimal digits follow; write %25 for the sign itself`,
    { parameter },
  );
}

/** -1 where it is none; NaN (past the end) is none either. */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
