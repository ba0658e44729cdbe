/**
 * What a request's target names, read once, as it was received, and used by everybody: the router, the limits, the keys.
 * The router of the web framework would decode paths in a way of its own and bound their parts, so it is given a path
 * without anything to decode.
 */
import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { OperationalError, REST_LIMITS } from '@ringleader/contracts';

export interface RequestTarget {
  readonly resource: 'key' | 'batch' | 'other';
  /** What the router sees: a key always as the same path, other paths decoded. */
  readonly path: string;
  /** What stands behind `/v1/kv/`, still encoded; empty for other resources. */
  readonly encodedKey: string;
  /** Without the question mark; empty when there is none. */
  readonly query: string;
  /** Of a target in absolute form, which counts instead of the Host header (RFC 9112, 3.2.2). */
  readonly authority: string | null;
  /** `OPTIONS *`: about the server as a whole. */
  readonly isServer: boolean;
  /** What is wrong with the target; null when nothing is. */
  readonly refusal: OperationalError | null;
}

/** Text as it stands in a target. */
export interface EncodedText {
  /** Begins the sentence of a refusal. */
  readonly what: string;
  /** Names what was wrong in the problem document. */
  readonly names: Readonly<Record<string, string>>;
  readonly plusIsSpace: boolean;
}

const API_PATH = '/v1/';
const KEYS_PATH = '/v1/kv/';
export const KEY_ROUTE = '/v1/kv/:key';
export const ROUTED_KEY = '/v1/kv/key';
const BATCH_PATH = '/v1/kv:batch';
const NO_PATH = '/';

const PERCENT = 0x25;
const PLUS = 0x2b;
const SPACE = 0x20;
const SLASH = 0x2f;
const KEY_TEXT: EncodedText = { what: 'The key', names: { parameter: 'key' }, plusIsSpace: false };
const PATH_TEXT: EncodedText = { what: 'The path', names: { reason: 'target' }, plusIsSpace: false };
const NOT_PLAIN = /[^\x21-\x24\x26-\x7e]/;
const ABSOLUTE = /^https?:\/\/([^/?#]*)/i;

const NOTHING: ReadonlyMap<string, string> = new Map();
const NAME_LENGTH_SHOWN = 64;

const TARGET = Symbol('request target');

interface Marked extends IncomingMessage {
  [TARGET]?: RequestTarget;
}

/** The target of a request; read when it is first asked for. */
export function targetOf(message: IncomingMessage): RequestTarget {
  const marked = message as Marked;
  return (marked[TARGET] ??= parseTarget(message.method ?? 'GET', message.url ?? NO_PATH));
}

export function parseTarget(method: string, target: string): RequestTarget {
  if (target.charCodeAt(0) === SLASH) return parseOrigin(target, null);
  if (target === '*' && method === 'OPTIONS') return { ...malformed(null), isServer: true };
  const [scheme, authority] = ABSOLUTE.exec(target) ?? [];
  if (scheme === undefined || authority === undefined) {
    const detail = 'The target of a request is a path that begins with a slash, or a whole http URI';
    return malformed(new OperationalError('INVALID_ARGUMENT', detail, { reason: 'target' }));
  }
  const rest = target.slice(scheme.length);
  return parseOrigin(rest.startsWith('/') ? rest : `/${rest}`, authority);
}

function malformed(refusal: OperationalError | null): RequestTarget {
  return {
    resource: 'other',
    path: NO_PATH,
    encodedKey: '',
    query: '',
    authority: null,
    isServer: false,
    refusal,
  };
}

function parseOrigin(target: string, authority: string | null): RequestTarget {
  if (target.includes('#')) {
    const detail = 'A target has no fragment; write %23 for the sign # itself';
    return malformed(new OperationalError('INVALID_ARGUMENT', detail, { reason: 'target' }));
  }
  const mark = target.indexOf('?');
  const path = mark === -1 ? target : target.slice(0, mark);
  const query = mark === -1 ? '' : target.slice(mark + 1);
  const rest = { query, authority, isServer: false, refusal: null };
  if (path.startsWith(KEYS_PATH)) {
    return { resource: 'key', path: ROUTED_KEY, encodedKey: path.slice(KEYS_PATH.length), ...rest };
  }
  if (!path.includes('%')) return { ...resourceOf(path), ...rest };
  try {
    return { ...decodedResourceOf(path), ...rest };
  } catch (error) {
    if (error instanceof OperationalError) return malformed(error);
    throw error;
  }
}

type Resource = Pick<RequestTarget, 'resource' | 'path' | 'encodedKey'>;

function resourceOf(path: string): Resource {
  return { resource: path === BATCH_PATH ? 'batch' : 'other', path, encodedKey: '' };
}

/** `/v1/%6Bv/x` names the key x as well; an encoded slash is a part of its segment. */
function decodedResourceOf(path: string): Resource {
  const segments = path.split('/');
  if (segments.length > 3) {
    const prefix = segments.slice(0, 3).map((segment) => percentDecode(segment, PATH_TEXT));
    if (`${prefix.join('/')}/` === KEYS_PATH && !prefix.some((segment) => segment.includes('/'))) {
      return { resource: 'key', path: ROUTED_KEY, encodedKey: segments.slice(3).join('/') };
    }
  }
  const decoded = segments.map((segment) => encodeSegment(percentDecode(segment, PATH_TEXT)));
  return resourceOf(decoded.join('/'));
}

/** Encoded again where the router decodes, or would take it for more than one segment. */
function encodeSegment(segment: string): string {
  return encodeURIComponent(segment).replaceAll('%3A', ':');
}

const TARGET_LENGTH_LOGGED = 2_048;
/** The parameter of RFC 6750, 2.3, which is not taken here, and whatever looks like a token of ours. */
const SECRETS = /(?<=[?&]access_token=)[^&#]+|\brl_[a-z0-9]+_[A-Za-z0-9_-]{20,}/gi;

/** As a log may have it: clients have put tokens there. */
export function loggedTarget(target: string): string {
  return target.replace(SECRETS, '(secret)').slice(0, TARGET_LENGTH_LOGGED);
}

/** Below /v1: what is admitted or not. */
export function isApi({ path }: RequestTarget): boolean {
  return path.startsWith(API_PATH);
}

/** The key of a target below `/v1/kv/`. */
export function keyOf(target: RequestTarget): string {
  const key = percentDecode(target.encodedKey, KEY_TEXT);
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
  throw new OperationalError('INVALID_ARGUMENT', `${kind.what} is not valid UTF-8 once decoded`, kind.names);
}

function hexByte(text: string, at: number, { what, names }: EncodedText): number {
  const high = hexDigit(text.charCodeAt(at));
  const low = hexDigit(text.charCodeAt(at + 1));
  if (high >= 0 && low >= 0) return high * 16 + low;
  throw new OperationalError(
    'INVALID_ARGUMENT',
    `${what} has a percent sign that no two hexadecimal digits follow; write %25 for the sign itself`,
    names,
  );
}

/** -1 where it is none; NaN (past the end) is none either. */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** Query parameters: each known, each at most once. */
export type Query = ReadonlyMap<string, string>;

/** `query` is what stands behind the question mark. An unknown or repeated parameter is refused by its name. */
export function parseQuery(query: string, allowed: readonly string[]): Query {
  if (query === '') return NOTHING;
  const parameters = new Map<string, string>();
  for (const part of query.split('&')) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    const name = nameOf(equals === -1 ? part : part.slice(0, equals));
    if (!allowed.includes(name)) throw unknownParameter(name, allowed);
    if (parameters.has(name)) throw invalidParameter(name, `The query parameter ${name} is given twice`);
    const value = equals === -1 ? '' : part.slice(equals + 1);
    const what = `The query parameter ${name}`;
    parameters.set(name, percentDecode(value, { what, names: { parameter: name }, plusIsSpace: true }));
  }
  return parameters;
}

function nameOf(text: string): string {
  const what = 'The name of a query parameter';
  const names = { parameter: text.slice(0, NAME_LENGTH_SHOWN) };
  return percentDecode(text, { what, names, plusIsSpace: true });
}

export function integerParameter(query: Query, name: string, min: number, max: number): number | undefined {
  const text = query.get(name);
  if (text === undefined) return undefined;
  const value = parseInteger(text);
  if (value !== null && value >= min && value <= max) return value;
  throw invalidParameter(name, `${name} is an integer from ${min} to ${max}`, { min, max });
}

export function booleanParameter(query: Query, name: string): boolean {
  const text = query.get(name);
  if (text === undefined || text === 'false') return false;
  if (text === 'true') return true;
  throw invalidParameter(name, `${name} is true or false`, { allowed: ['true', 'false'] });
}

/** Null where it is not a plain decimal integer below 2^53. */
export function parseInteger(text: string): number | null {
  if (!/^\d{1,16}$/.test(text)) return null;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : null;
}

function unknownParameter(name: string, allowed: readonly string[]): OperationalError {
  const shown = name.slice(0, NAME_LENGTH_SHOWN);
  return invalidParameter(shown, `There is no query parameter ${JSON.stringify(shown)} here`, { allowed });
}

export function invalidParameter(
  parameter: string,
  detail: string,
  fields: Readonly<Record<string, unknown>> = {},
): OperationalError {
  return new OperationalError('INVALID_ARGUMENT', detail, { parameter, ...fields });
}
