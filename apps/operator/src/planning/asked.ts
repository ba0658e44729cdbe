/**
 * What people ask for by annotations of the cluster, each of which is a time: what is older than that is made anew. So it is asked for
 * once however often it is read, by whoever applies the same file again, and nothing need be written back.
 */
import type { RingleaderCluster } from '@ringleader/contracts';
import { z } from 'zod';
import type { Note } from './types.js';

const timeSchema = z.iso.datetime({ offset: true });
/** Clocks of those who ask, and the operator's. */
const CLOCKS_DIFFER_MS = 60_000;

export type Asked =
  | { readonly kind: 'no' }
  | { readonly kind: 'before'; readonly timeMs: number }
  | { readonly kind: 'wrong'; readonly note: Note };

type Annotated = Pick<RingleaderCluster, 'metadata'>;

export function askedIn({ metadata }: Annotated, annotation: string, nowMs: number): Asked {
  const value = metadata.annotations?.[annotation];
  if (value === undefined) return { kind: 'no' };
  if (!timeSchema.safeParse(value).success)
    return wrong(`${annotation} must be a time, as 2026-01-31T08:00:00Z, and is ${shown(value)}`);
  const timeMs = Date.parse(value);
  // One that is still to come would ask again and again until then.
  if (timeMs > nowMs + CLOCKS_DIFFER_MS)
    return wrong(`${annotation} is a time that is still to come: ${shown(value)}`);
  return { kind: 'before', timeMs };
}

/** Whether what was made then is to be made anew. */
export const isOlder = (asked: Asked, madeAtMs: number): boolean =>
  asked.kind === 'before' && madeAtMs < asked.timeMs;

export const wrong = (message: string): Asked & { readonly kind: 'wrong' } => ({
  kind: 'wrong',
  note: { kind: 'refused', reason: 'AnnotationInvalid', message },
});

const SHOWN_MAX = 40;
const shown = (value: string): string => JSON.stringify(value.slice(0, SHOWN_MAX));
