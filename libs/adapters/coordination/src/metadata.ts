import { OperationalError } from '@ringleader/contracts';
import type { KeyValue } from '@ringleader/contracts';
import type { z } from 'zod';

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
