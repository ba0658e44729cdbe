/** GET /v1/kv: keys in byte order over all shards, page by page or as one stream. */
import { Readable } from 'node:stream';
import { Controller, Get, Req, Res } from '@nestjs/common';
import { OperationalError, REST_HEADERS, REST_LIMITS, prefixRange } from '@ringleader/contracts';
import type { Item } from '@ringleader/contracts';
import { xxh64 } from '@ringleader/hash-ring';
import type { KeyRange } from '@ringleader/paxos';
import { compareKeys, leastEnd } from '@ringleader/primitives';
import { ServiceClock } from '@ringleader/service-host';
import type { FastifyReply, FastifyRequest } from 'fastify';
import Negotiator from 'negotiator';
import { Access } from '../access/access.js';
import { callerOf, requireRange } from '../access/caller.js';
import { booleanParameter, integerParameter, parseQuery, targetOf } from '../http/request-target.js';
import type { Query } from '../http/request-target.js';
import { DescribeList } from '../openapi/descriptions.js';
import { ShardDirectory } from '../routing/shard-directory.js';
import { KeyValueStore } from './key-value-store.js';
import { ListScan, rangeBehind } from './list-scan.js';
import type { ListScanOptions } from './list-scan.js';
import { refuseConditions } from './preconditions.js';
import { itemOf } from './representation.js';
import { CONSISTENCY_PARAMETERS, consistencyOf, timeoutMsOf } from './request-context.js';

const PARAMETERS = [
  'prefix',
  'start',
  'end',
  'reverse',
  'keysOnly',
  'limit',
  'cursor',
  ...CONSISTENCY_PARAMETERS,
];
const NDJSON = 'application/x-ndjson';
const STREAM_CHUNK_CHARACTERS = 65_536;

interface Page {
  readonly items: readonly Item[];
  readonly cursor?: string;
}

/** Which keys a list is about. */
interface KeySelection {
  readonly prefix: string;
  readonly start: string;
  readonly end: string | null;
  readonly reverse: boolean;
}

interface ListQuery {
  readonly selection: KeySelection;
  readonly keysOnly: boolean;
  /** Null where none was given. */
  readonly limit: number | null;
  readonly cursor: string | undefined;
  readonly isStale: boolean;
}

@Controller('v1')
export class ListController {
  constructor(
    private readonly store: KeyValueStore,
    private readonly clock: ServiceClock,
    private readonly shards: ShardDirectory,
  ) {}

  @Access({ kind: 'request', role: 'read' })
  @DescribeList()
  @Get('kv')
  async list(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Page | Readable> {
    reply.header('Vary', 'Accept');
    const query = listQueryOf(parseQuery(targetOf(request.raw).query, PARAMETERS));
    refuseConditions(request.headers, 'list');
    const timeoutMs = timeoutMsOf(request.headers);
    const wanted = selectionRange(query.selection);
    const caller = callerOf(request.raw);
    if (wanted !== null) requireRange(caller, 'read', wanted, query.selection.prefix);
    // Leaders serve lists whatever consistency is asked for: what is not stale at all is never too stale.
    if (query.isStale) reply.header(REST_HEADERS.stalenessMs, 0);
    if (!prefersNdjson(request)) return this.page(reply, query, timeoutMs);
    if (query.limit !== null) throw limitOfStream();
    const isHead = request.method === 'HEAD';
    const scan = this.scan(query, isHead ? 1 : null, timeoutMs);
    // A stream that cannot begin is refused, and so is its head (RFC 9110, 9.3.2).
    if (isHead) await scan?.all().next();
    reply.header('Content-Type', NDJSON);
    return Readable.from(isHead ? [] : lines(scan, query.keysOnly), { objectMode: false });
  }

  private async page(reply: FastifyReply, query: ListQuery, timeoutMs: number): Promise<Page> {
    const limit = query.limit ?? REST_LIMITS.listLimitDefault;
    const scan = this.scan(query, limit + 1, timeoutMs);
    const page = (await scan?.page(limit)) ?? { rows: [], more: false };
    const last = page.rows.at(-1);
    const items = page.rows.map((row) => itemOf(row, query.keysOnly));
    const cursor = page.more && last !== undefined ? { cursor: encodeCursor(query.selection, last.key) } : {};
    if (scan !== null) reply.header(REST_HEADERS.servedBy, this.shards.names(scan.servedBy));
    return { items, ...cursor };
  }

  /** Null where no key can be in the list. */
  private scan(query: ListQuery, rowsWanted: number | null, timeoutMs: number): ListScan | null {
    const { selection, keysOnly, cursor } = query;
    const { reverse } = selection;
    const last = cursor === undefined ? null : decodeCursor(selection, cursor);
    const whole = selectionRange(selection);
    if (whole === null) return null;
    // Whoever made the cursor: what is behind its key is a part of what was asked for, and of what the caller may read.
    if (last !== null && !isIn(whole, last)) throw invalidCursor();
    const range = last === null ? whole : rangeBehind(whole, last, reverse);
    const options: ListScanOptions = { range, reverse, keysOnly, rowsWanted, timeoutMs };
    return new ListScan(this.store, this.clock, options);
  }
}

function listQueryOf(query: Query): ListQuery {
  return {
    selection: {
      prefix: query.get('prefix') ?? '',
      start: query.get('start') ?? '',
      // An empty end would leave no key at all, which nobody asks for.
      end: query.get('end') || null,
      reverse: booleanParameter(query, 'reverse'),
    },
    keysOnly: booleanParameter(query, 'keysOnly'),
    limit: integerParameter(query, 'limit', 1, REST_LIMITS.listLimitMax) ?? null,
    cursor: query.get('cursor') || undefined,
    isStale: consistencyOf(query).kind === 'stale',
  };
}

/** A stream that ended at a limit would look complete, having no cursor. */
function limitOfStream(): OperationalError {
  const detail = `A list as ${NDJSON} is all of it: limit goes with pages only`;
  return new OperationalError('INVALID_ARGUMENT', detail, { parameter: 'limit' });
}

/** Pages where the client does not care, or takes neither: RFC 9110, 12.4.1 leaves that to the server. */
function prefersNdjson({ headers }: FastifyRequest): boolean {
  if (headers.accept === undefined) return false;
  return new Negotiator({ headers }).mediaType(['application/json', NDJSON]) === NDJSON;
}

/** Rows are taken as the client reads: while it is slow, nothing is fetched. */
async function* lines(scan: ListScan | null, keysOnly: boolean): AsyncGenerator<Buffer, void> {
  if (scan === null) return;
  let text = '';
  for await (const row of scan.all()) {
    text += `${JSON.stringify(itemOf(row, keysOnly))}\n`;
    if (text.length < STREAM_CHUNK_CHARACTERS) continue;
    yield Buffer.from(text);
    text = '';
  }
  if (text !== '') yield Buffer.from(text);
}

/** Prefix, start and end as one range; null where no key can be in it. */
function selectionRange(selection: KeySelection): KeyRange | null {
  const { key: prefixStart, rangeEnd } = prefixRange(selection.prefix);
  const prefixEnd = rangeEnd === '' ? null : rangeEnd;
  const start = compareKeys(selection.start, prefixStart) > 0 ? selection.start : prefixStart;
  const end = leastEnd(selection.end, prefixEnd);
  return end !== null && compareKeys(start, end) >= 0 ? null : { start, end };
}

const isIn = ({ start, end }: KeyRange, key: string): boolean =>
  key.isWellFormed() && compareKeys(key, start) >= 0 && (end === null || compareKeys(key, end) < 0);

/**
 * A cursor is the last key that was given, with the selection that it belongs to: it means the same whatever is written
 * or moved in between, so no key that exists throughout is skipped or given twice. Opaque to clients.
 */
function encodeCursor(selection: KeySelection, last: string): string {
  return Buffer.from(JSON.stringify([1, last, fingerprint(selection)])).toString('base64url');
}

function decodeCursor(selection: KeySelection, cursor: string): string {
  const [version, last, made] = parseCursor(cursor);
  if (version !== 1 || typeof last !== 'string' || typeof made !== 'string') throw invalidCursor();
  if (made !== fingerprint(selection)) {
    throw new OperationalError(
      'INVALID_ARGUMENT',
      'The cursor belongs to a list with another prefix, start, end or reverse: repeat those with it',
      { parameter: 'cursor' },
    );
  }
  return last;
}

function parseCursor(cursor: string): unknown[] {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    return Array.isArray(parsed) ? parsed : [];
  } catch (cause) {
    throw invalidCursor(cause);
  }
}

function fingerprint({ prefix, start, end, reverse }: KeySelection): string {
  return xxh64(JSON.stringify([prefix, start, end, reverse])).toString(36);
}

function invalidCursor(cause?: unknown): OperationalError {
  return new OperationalError(
    'INVALID_ARGUMENT',
    'The cursor is not one that a list has given',
    { parameter: 'cursor' },
    { cause },
  );
}
