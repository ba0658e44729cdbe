import { OperationalError, keyAfter, prefixRange } from '@ringleader/contracts';
import type { KeyValue } from '@ringleader/contracts';
import type { z } from 'zod';
import type { Coordinator } from './coordination-client.js';
import type { MirrorChange } from './prefix-mirror.js';

/** Reads a value of the cluster's own metadata, which only Ringleader writes: what does not fit is damage. */
export function parseMetadata<Schema extends z.ZodType>(schema: Schema, item: KeyValue): z.infer<Schema> {
  try {
    return schema.parse(JSON.parse(item.value));
  } catch (cause) {
    const { key, modRevision } = item;
    throw new OperationalError(
      'INTERNAL',
      `The metadata at ${key} do not fit their schema`,
      { key, modRevision },
      { cause },
    );
  }
}

export interface Listed<Value> {
  readonly values: readonly Value[];
  /** What stands behind the prefix in the keys of those that do not fit. */
  readonly unreadable: readonly string[];
}

/**
 * All values below a prefix, as of one revision. Throws OperationalError as reads do. What does not fit is to keep nobody from
 * the rest: what it might say is for the caller to think of.
 */
export async function listMetadata<Schema extends z.ZodType>(
  client: Pick<Coordinator, 'range'>,
  prefix: string,
  schema: Schema,
): Promise<Listed<z.infer<Schema>>> {
  const range = prefixRange(prefix);
  const items: KeyValue[] = [];
  let page = await client.range(range);
  const { revision } = page;
  for (;;) {
    items.push(...page.items);
    const last = page.items.at(-1);
    if (!page.more || last === undefined) break;
    page = await client.range({ ...range, key: keyAfter(last.key), revision });
  }
  const unreadable: string[] = [];
  const read = readItems(schema, items, (_, { key }) => void unreadable.push(key.slice(prefix.length)));
  return { values: read.map(({ value }) => value), unreadable };
}

export interface ReadChange<Value> {
  readonly puts: readonly { readonly key: string; readonly value: Value }[];
  readonly deletes: readonly string[];
}

/**
 * A change of a mirror, read. What does not fit, as what a newer version has written, counts as gone, and is told of: it is
 * to hide nothing of what came with it, which the mirror does not tell again.
 */
export function readChange<Schema extends z.ZodType>(
  schema: Schema,
  { puts, deletes }: MirrorChange,
  onUnreadable: ((error: OperationalError) => void) | undefined,
): ReadChange<z.infer<Schema>> {
  const gone = [...deletes];
  const read = readItems(schema, puts, (error, { key }) => {
    onUnreadable?.(error);
    gone.push(key);
  });
  return { puts: read, deletes: gone };
}

/** Those that fit. */
export function readItems<Schema extends z.ZodType>(
  schema: Schema,
  items: readonly KeyValue[],
  onUnreadable: (error: OperationalError, item: KeyValue) => void,
): { readonly key: string; readonly value: z.infer<Schema> }[] {
  return items.flatMap((item) => {
    try {
      return [{ key: item.key, value: parseMetadata(schema, item) }];
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      onUnreadable(error, item);
      return [];
    }
  });
}
