/** Requests that no sensible client sends: valid ones, broken in one or several ways. A seed fixes all of them. */
import { seededPrng } from '@ringleader/primitives';
import type { Prng } from '@ringleader/primitives';
import type { RawOptions } from './http-client.js';

type Damage = (request: string, prng: Prng) => string;

const pick = <T>(prng: Prng, choices: readonly T[]): T => choices[prng.nextBelow(choices.length)] as T;

function validRequest(prng: Prng): string {
  const method = pick(prng, ['GET', 'PUT', 'DELETE', 'HEAD', 'POST', 'PATCH', 'OPTIONS']);
  const target = pick(prng, ['/v1/kv/k', '/v1/kv', '/v1/kv:batch', '/v1/cluster', '/healthz', '/docs', '/']);
  const body = pick(prng, ['', 'value', '{"operations":[{"op":"get","key":"k"}]}', '{"operations":']);
  const headers = [
    'Host: localhost',
    'Connection: close',
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
  ];
  return `${method} ${target} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n${body}`;
}

function bytes(prng: Prng, length: number): string {
  return Array.from({ length }, () => String.fromCharCode(prng.nextBelow(256))).join('');
}

const insertHeader = (request: string, header: string): string =>
  request.replace('\r\n', `\r\n${header}\r\n`);

const DAMAGES: readonly Damage[] = [
  (request, prng) => request.slice(0, prng.nextBelow(request.length)),
  (request, prng) => {
    const at = prng.nextBelow(request.length);
    return request.slice(0, at) + bytes(prng, 1 + prng.nextBelow(8)) + request.slice(at);
  },
  (request, prng) => {
    const at = prng.nextBelow(request.length);
    return request.slice(0, at) + request.slice(at + 1 + prng.nextBelow(5));
  },
  (_request, prng) => bytes(prng, 1 + prng.nextBelow(2_000)),
  (request) => request.replace('HTTP/1.1', 'HTTP/9.9'),
  (request) => request.replaceAll('\r\n', '\n'),
  (request, prng) =>
    request.replace(
      /Content-Length: \d+/,
      `Content-Length: ${pick(prng, ['-1', 'x', '1e3', '99999999999999999999', '5, 5'])}`,
    ),
  (request) => insertHeader(request, 'Transfer-Encoding: chunked'),
  (request, prng) =>
    insertHeader(request, `Transfer-Encoding: ${pick(prng, ['gzip', 'chunked, chunked', 'xchunked'])}`),
  (request, prng) => insertHeader(request, `X-Long: ${'a'.repeat(prng.nextBelow(60_000))}`),
  (request, prng) => insertHeader(request, `${bytes(prng, 5)}: ${bytes(prng, 20)}`),
  (request, prng) => request.replace('/v1/kv/k', `/v1/kv/${bytes(prng, 1 + prng.nextBelow(40))}`),
  (request, prng) =>
    request.replace('/v1/kv/k', `/v1/kv/%${bytes(prng, 2)}${'%41'.repeat(prng.nextBelow(3_000))}`),
  (request, prng) =>
    request.replace(/ (\/\S*) /, ` $1?${bytes(prng, 1 + prng.nextBelow(60)).replaceAll(/[\s]/g, '+')} `),
  (request) => request.replace(/ \/\S* /, ' * '),
  (request) => request.replace(/ (\/\S*) /, ' http://elsewhere$1 '),
  (request) => request.replace(/ \/\S* /, ' nonsense '),
  (request, prng) => insertHeader(request, `If-Match: ${bytes(prng, 6).replaceAll(/[\r\n]/g, ' ')}`),
  (request, prng) =>
    insertHeader(
      request,
      `${pick(prng, ['If-None-Match', 'If-Unmodified-Since', 'If-Modified-Since', 'Content-Range', 'Content-Encoding', 'Accept'])}: ${pick(prng, ['', ',', '"', '"1", W/"2"', 'Sun, 06 Nov 1994 08:49:37 GMT', 'gzip', 'a;q=0, */*;q=2', bytes(prng, 9).replaceAll(/[\r\n]/g, ' ')])}`,
    ),
  (request, prng) =>
    request.replace(
      'Host: localhost',
      `Host: ${pick(prng, ['', '[::1', '[::1]:x', 'a b', '%00', 'x'.repeat(300), '*'])}`,
    ),
  (request, prng) =>
    request.replace(
      / \/(\S*) /,
      (_whole, path: string) =>
        ` /${[...path].map((c) => (prng.nextBelow(3) === 0 ? `%${c.charCodeAt(0).toString(16).padStart(2, '0')}` : c)).join('')} `,
    ),
  (request) => request.replace('Connection: close\r\n', '').repeat(40),
  (request) => insertHeader(request, 'Expect: 100-continue'),
  (request) => insertHeader(request, 'Expect: the-unexpected'),
  (request) => insertHeader(request, 'Connection: Upgrade\r\nUpgrade: websocket'),
  (request) => request.replace(/^\S+/, 'CONNECT'),
  (request) => request.replace(/^\S+/, 'BREW'),
  (request) => request + request + request,
  (request) =>
    request.replace(/\{.*$/s, '['.repeat(20_000)).replace(/Content-Length: \d+/, 'Content-Length: 20000'),
];

/** How the client behaves while it sends: whole, in pieces, half-closed, or gone before the answer. */
function behaviour(request: string, prng: Prng): RawOptions {
  const raw = Buffer.from(request, 'latin1');
  const cut = prng.nextBelow(raw.length + 1);
  const chunks = prng.nextBelow(2) === 0 ? [raw] : [raw.subarray(0, cut), raw.subarray(cut)];
  return { chunks, end: prng.nextBelow(2) === 0, destroy: prng.nextBelow(8) === 0, waitMs: 3_000 };
}

export function* malformedRequests(seed: number, count: number): Generator<RawOptions, void> {
  const prng = seededPrng(seed);
  for (let i = 0; i < count; i++) {
    let request = validRequest(prng);
    for (let damages = 1 + prng.nextBelow(2); damages > 0; damages--)
      request = pick(prng, DAMAGES)(request, prng);
    yield behaviour(request, prng);
  }
}
