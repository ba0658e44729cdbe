/**
 * put, get, del, ls: one key or a few. All of them go through the batch resource, which takes any key as it is (a path
 * could not name `.` or `..`), and under an idempotency key, so that a repeat through another gateway does nothing twice.
 */
import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import type { BatchOperation, BatchResult, Item } from '@ringleader/contracts';
import { REST_LIMITS } from '@ringleader/contracts';
import { type Command, Option } from 'commander';
import { CliFailure, EXIT } from './failure.js';
import { type GatewayClient, bodyOf, refusal } from './gateway-client.js';
import { type GlobalFlags, clientOf, integer } from './global-options.js';
import { standardInput } from './standard-input.js';
import { shown } from './table.js';

const REVISION_MAX = Number.MAX_SAFE_INTEGER;
const OK_MAX = 299;

interface ConditionFlags {
  readonly ifAbsent?: true;
  readonly ifPresent?: true;
  readonly ifRevision?: number;
  readonly ifVersion?: number;
}

type PutFlags = GlobalFlags & ConditionFlags & { readonly contentType?: string };
type GetFlags = GlobalFlags & { readonly stale?: true; readonly maxStalenessMs?: number };
type ListFlags = GlobalFlags & {
  readonly prefix?: string;
  readonly start?: string;
  readonly end?: string;
  readonly reverse?: true;
  readonly values?: true;
  readonly limit?: number;
};

const TEXT = 'text/plain; charset=utf-8';

/** `@file`, `-` or nothing for standard input, otherwise the value itself, which is text. */
async function valueOf(argument: string | undefined): Promise<{ bytes: Buffer; contentType?: string }> {
  if (argument === undefined || argument === '-') {
    if (process.stdin.isTTY && argument === undefined) {
      throw new CliFailure('Give a value, - for standard input, or @file.', { exitCode: EXIT.usage });
    }
    return { bytes: await valueIn(standardInput()) };
  }
  if (!argument.startsWith('@')) return { bytes: Buffer.from(argument), contentType: TEXT };
  const path = argument.slice(1);
  const bytes = await valueIn(createReadStream(path)).catch((cause: Error) => {
    if (cause instanceof CliFailure) throw cause;
    throw new CliFailure(`${path} cannot be read: ${cause.message}.`, { cause, exitCode: EXIT.usage });
  });
  return { bytes };
}

/** No more of it than a value may have: whatever else there is would be in memory before it is refused. */
async function valueIn(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    chunks.push(chunk as Buffer);
    size += (chunk as Buffer).length;
    if (size <= REST_LIMITS.valueBytesMax) continue;
    const sentence = `A value has at most ${REST_LIMITS.valueBytesMax} bytes.`;
    throw new CliFailure(sentence, { code: 'REQUEST_TOO_LARGE', exitCode: EXIT.usage });
  }
  return Buffer.concat(chunks);
}

async function results(
  client: GatewayClient,
  operations: readonly BatchOperation[],
  query?: string,
): Promise<BatchResult[]> {
  const isWrite = operations.some(({ op }) => op !== 'get');
  return bodyOf(await client.batch(operations, randomUUID(), query), client, isWrite).results;
}

function done(result: BatchResult | undefined): BatchResult {
  if (result === undefined) throw new CliFailure('The gateway left out a result.');
  if (result.status > OK_MAX) throw refusal(result);
  return result;
}

function conditionsOf({ ifAbsent, ifPresent, ifRevision, ifVersion }: ConditionFlags): ConditionFlags {
  return {
    ...(ifAbsent === undefined ? {} : { ifAbsent }),
    ...(ifPresent === undefined ? {} : { ifPresent }),
    ...(ifRevision === undefined ? {} : { ifRevision }),
    ...(ifVersion === undefined ? {} : { ifVersion }),
  };
}

async function put(key: string, argument: string | undefined, flags: PutFlags): Promise<void> {
  const { bytes, contentType: own } = await valueOf(argument);
  const contentType = flags.contentType ?? own;
  const operation = {
    op: 'put' as const,
    key,
    valueBase64: bytes.toString('base64'),
    ...(contentType === undefined ? {} : { contentType }),
    ...conditionsOf(flags),
  };
  const [result] = await results(clientOf(flags), [operation]);
  const { status, revision, version } = done(result);
  const written = { key, created: status === 201, revision, version };
  if (flags.format === 'json') console.log(JSON.stringify(written));
  else console.log(`${written.created ? 'created' : 'replaced'}, revision ${revision}, version ${version}`);
}

function bytesOf({ value, valueBase64 }: Pick<BatchResult, 'value' | 'valueBase64'>): Buffer {
  return valueBase64 === undefined ? Buffer.from(value ?? '') : Buffer.from(valueBase64, 'base64');
}

async function get(key: string, flags: GetFlags): Promise<void> {
  const query = new URLSearchParams();
  if (flags.stale === true || flags.maxStalenessMs !== undefined) query.set('consistency', 'stale');
  if (flags.maxStalenessMs !== undefined) query.set('maxStalenessMs', String(flags.maxStalenessMs));
  const suffix = query.size === 0 ? '' : `?${query.toString()}`;
  const [result] = await results(clientOf(flags), [{ op: 'get', key }], suffix);
  const { status: _status, ...found } = done(result);
  if (flags.format === 'json') console.log(JSON.stringify({ key, ...found }));
  else process.stdout.write(bytesOf(found));
}

/** Every key is tried; the exit code is that of the first that failed. */
async function del(keys: readonly string[], flags: GlobalFlags & ConditionFlags): Promise<void> {
  if (keys.length > REST_LIMITS.batchOperationsMax) {
    const sentence = `At most ${REST_LIMITS.batchOperationsMax} keys can be deleted at once.`;
    throw new CliFailure(sentence, { exitCode: EXIT.usage });
  }
  const answers = await results(
    clientOf(flags),
    keys.map((key) => ({ op: 'delete' as const, key, ...conditionsOf(flags) })),
  );
  const failures: CliFailure[] = [];
  keys.forEach((key, i) => {
    try {
      const { revision } = done(answers[i]);
      console.log(flags.format === 'json' ? JSON.stringify({ key, revision }) : `deleted ${shown(key)}`);
    } catch (error) {
      if (!(error instanceof CliFailure)) throw error;
      failures.push(error);
      console.error(error.line(flags.format, key));
    }
  });
  if (failures[0] !== undefined) process.exitCode = failures[0].exitCode;
}

function listQuery({ prefix, start, end, reverse, values }: ListFlags): Record<string, string> {
  return {
    ...(prefix === undefined ? {} : { prefix }),
    ...(start === undefined ? {} : { start }),
    ...(end === undefined ? {} : { end }),
    ...(reverse === undefined ? {} : { reverse: 'true' }),
    ...(values === undefined ? { keysOnly: 'true' } : {}),
  };
}

function line(item: Item, { format, values }: ListFlags): string {
  if (format === 'json') return JSON.stringify(item);
  if (values === undefined) return shown(item.key);
  return `${shown(item.key)}\t${item.value === undefined ? `base64:${item.valueBase64 ?? ''}` : shown(item.value)}`;
}

/** One line for each key, read page by page: it can be piped, however many there are. */
async function list(flags: ListFlags): Promise<void> {
  const client = clientOf(flags);
  const query = listQuery(flags);
  let left = flags.limit ?? Number.POSITIVE_INFINITY;
  for (;;) {
    query['limit'] = String(Math.min(left, REST_LIMITS.listLimitMax));
    const page = bodyOf(await client.list(query), client);
    for (const item of page.items) console.log(line(item, flags));
    left -= page.items.length;
    if (page.cursor === undefined || left <= 0) return;
    query['cursor'] = page.cursor;
  }
}

function addConditions(command: Command, isPut: boolean): Command {
  const number = integer(1, REVISION_MAX);
  if (isPut) command.addOption(new Option('--if-absent', 'only if the key does not exist'));
  return command
    .addOption(new Option('--if-present', 'only if the key exists'))
    .addOption(new Option('--if-revision <n>', 'only if this is its revision').argParser(number))
    .addOption(new Option('--if-version <n>', 'only if this is its version').argParser(number));
}

export function addKeyCommands(root: Command): void {
  const putCommand = root
    .command('put')
    .description('Stores a value.')
    .argument('<key>')
    .argument('[value]', 'text, - for standard input, @file for the content of a file')
    .option('--content-type <type>', 'default: plain text for a value, application/octet-stream otherwise');
  addConditions(putCommand, true).action(
    (key: string, value: string | undefined, _: unknown, command: Command) =>
      put(key, value, command.optsWithGlobals()),
  );
  root
    .command('get')
    .description('Writes the value to standard output, byte for byte.')
    .argument('<key>')
    .option('--stale', 'from any replica, which may be behind')
    .option(
      '--max-staleness-ms <ms>',
      'from a replica that can prove not to be further behind',
      integer(0, REVISION_MAX),
    )
    .action((key: string, _: unknown, command: Command) => get(key, command.optsWithGlobals()));
  const delCommand = root.command('del').description('Deletes keys.').argument('<key...>');
  addConditions(delCommand, false).action((keys: string[], _: unknown, command: Command) =>
    del(keys, command.optsWithGlobals()),
  );
  root
    .command('ls')
    .description('Lists keys in byte order, a line each (with -o json an object each).')
    .option('--prefix <text>', 'keys that begin so')
    .option('--start <key>', 'from this key on')
    .option('--end <key>', 'keys before this one')
    .option('--reverse', 'from the last to the first')
    .option('--values', 'with their values')
    .option('--limit <n>', 'at most so many', integer(1, REVISION_MAX))
    .action((_: unknown, command: Command) => list(command.optsWithGlobals()));
}
