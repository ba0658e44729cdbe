/** GET /v1/kv: keys in byte order over all shards, page by page or as one stream. */
import type { OutgoingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import { Controller, Get, Req, Res } from '@nestjs/common';
import { OperationalError, REST_HEADERS, REST_LIMITS } from '@ringleader/contracts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { respond, respondJson } from '../http/respond.js';
import { DescribeList } from '../openapi/describe-keys.js';
import { ShardDirectory } from '../routing/shard-directory.js';
import { KeyValueStore } from './key-value-store.js';
import { decodeCursor, encodeCursor, rangeBehind, selectionRange } from './key-selection.js';
import type { KeySelection } from './key-selection.js';
import { ListScan } from './list-scan.js';
import type { ListScanOptions } from './list-scan.js';
import {
  booleanParameter,
  CONSISTENCY_PARAMETERS,
  consistencyOf,
  integerParameter,
  parseQuery,
} from './query.js';
import type { Query } from './query.js';
import { itemOf } from './representation.js';
import { RequestContext } from './request-context.js';
import { queryOf } from './request-target.js';

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
    private readonly context: RequestContext,
    private readonly shards: ShardDirectory,
  ) {}

  @DescribeList()
  @Get('kv')
  async list(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const query = listQueryOf(parseQuery(queryOf(request.originalUrl), PARAMETERS));
    const timeoutMs = this.context.timeoutMs(request);
    // Leaders serve lists whatever consistency is asked for: what is not stale at all is never too stale.
    const staleness = query.isStale ? { [REST_HEADERS.stalenessMs]: 0 } : {};
    if (!acceptsNdjson(request.headers.accept)) {
      await this.answerPage(reply, query, { timeoutMs, headers: staleness });
      return;
    }
    if (query.limit !== null) throw limitOfStream();
    const scan = this.scan(query, null, timeoutMs);
    const headers = { ...staleness, 'Content-Type': NDJSON };
    if (request.method === 'HEAD') {
      respond(reply, 200, headers, null);
      return;
    }
    reply.headers(headers);
    await reply.send(Readable.from(lines(scan, query.keysOnly), { objectMode: false }));
  }

  private async answerPage(
    reply: FastifyReply,
    query: ListQuery,
    { timeoutMs, headers }: { timeoutMs: number; headers: OutgoingHttpHeaders },
  ): Promise<void> {
    const limit = query.limit ?? REST_LIMITS.listLimitDefault;
    const scan = this.scan(query, limit + 1, timeoutMs);
    const page = (await scan?.page(limit)) ?? { rows: [], more: false };
    const last = page.rows.at(-1);
    const items = page.rows.map((row) => itemOf(row, query.keysOnly));
    const cursor = page.more && last !== undefined ? { cursor: encodeCursor(query.selection, last.key) } : {};
    const servedBy = scan === null ? {} : { [REST_HEADERS.servedBy]: this.shards.names(scan.servedBy) };
    respondJson(reply, 200, { items, ...cursor }, { ...headers, ...servedBy });
  }

  /** Null where no key can be in the list. */
  private scan(query: ListQuery, rowsWanted: number | null, timeoutMs: number): ListScan | null {
    const { selection, keysOnly, cursor } = query;
    const { reverse } = selection;
    const last = cursor === undefined ? null : decodeCursor(selection, cursor);
    const whole = selectionRange(selection);
    if (whole === null) return null;
    const range = last === null ? whole : rangeBehind(whole, last, reverse);
    const options: ListScanOptions = { range, reverse, keysOnly, rowsWanted, timeoutMs };
    return new ListScan(this.store, this.context.monotonicMs, options);
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

function acceptsNdjson(accept: string | undefined): boolean {
  if (accept === undefined) return false;
  return accept.split(',').some((range) => range.split(';')[0]?.trim().toLowerCase() === NDJSON);
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
