/**
 * Headers as they were received, line by line: Node joins or drops the lines of a header that is sent twice, and which of
 * two keys or types the client meant is not for us to guess. Pure.
 */
import { OperationalError, REST_HEADERS } from '@ringleader/contracts';

/** Those that are not lists: one line each. A repeated Content-Length is refused by the parser. */
const SINGLE = new Map(
  ['Host', 'Content-Type', REST_HEADERS.idempotencyKey, REST_HEADERS.timeoutMs].map((name) => [
    name.toLowerCase(),
    name,
  ]),
);
const LENGTHS = new Set([...SINGLE.keys()].map(({ length }) => length));

export interface ReceivedHead {
  /** Names and values in turn. */
  readonly rawHeaders: readonly string[];
  readonly headers: {
    readonly host?: string | undefined;
    readonly 'transfer-encoding'?: string | undefined;
  };
  readonly httpVersion: string;
}

/** What is wrong with the headers of any request; null when nothing is. */
export function refusedHeaders({ rawHeaders, headers, httpVersion }: ReceivedHead): OperationalError | null {
  const repeated = repeatedHeader(rawHeaders);
  if (repeated !== null) return refusal(repeated, `${repeated} is given twice`);
  if (headers.host === undefined && httpVersion === '1.1') {
    return refusal('Host', 'A request of HTTP/1.1 has a Host header');
  }
  const encoding = headers['transfer-encoding'];
  if (encoding === undefined || encoding.toLowerCase() === 'chunked') return null;
  return refusal('Transfer-Encoding', 'Bodies may be chunked, and nothing else', { allowed: ['chunked'] });
}

function repeatedHeader(rawHeaders: readonly string[]): string | null {
  const seen = new Set<string>();
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const received = rawHeaders[i] as string;
    if (!LENGTHS.has(received.length)) continue;
    const name = SINGLE.get(received.toLowerCase());
    if (name === undefined) continue;
    if (seen.has(name)) return name;
    seen.add(name);
  }
  return null;
}

function refusal(
  header: string,
  detail: string,
  fields: Readonly<Record<string, unknown>> = {},
): OperationalError {
  return new OperationalError('INVALID_ARGUMENT', detail, { header, ...fields });
}
