/**
 * What people ask for by annotations of the cluster, each of which is a time: what is older than that is made anew. So it is asked for
 * once however often it is read, by whoever applies the same file again, and nothing need be written back.
 */
import {
  PAUSED_ANNOTATION,
  ROTATE_ANNOTATIONS,
  ROTATE_PREFIX,
  type RingleaderCluster,
} from '@ringleader/contracts';
import { z } from 'zod';
import type { Note } from './types.js';

const timeSchema = z.iso.datetime({ offset: true });
/** Clocks of those who ask, and the operator's. */
const CLOCKS_DIFFER_MS = 60_000;

export type Asked =
  | { readonly kind: 'no' }
  | { readonly kind: 'before'; readonly timeMs: number }
  | { readonly kind: 'wrong'; readonly note: Note };

interface Annotated {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
}

/** Nothing is changed meanwhile. */
export function isPaused({ metadata }: Annotated): boolean {
  const value = metadata.annotations?.[PAUSED_ANNOTATION];
  return value !== undefined && value !== 'false';
}

export function askedIn({ metadata }: Annotated, annotation: string, nowMs: number): Asked {
  const value = metadata.annotations?.[annotation];
  if (value === undefined) return { kind: 'no' };
  if (!timeSchema.safeParse(value).success)
    return wrong(`${annotation} must be a time, as 2026-01-31T08:00:00Z, and is ${shown(value)}`);
  const timeMs = Date.parse(value);
  if (timeMs > nowMs + CLOCKS_DIFFER_MS)
    return wrong(`${annotation} is a time that is still to come: ${shown(value)}`);
  // Until it has come: what is made meanwhile would be older still, and be made again and again.
  return timeMs > nowMs ? { kind: 'no' } : { kind: 'before', timeMs };
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

/** What is asked for by annotations that nobody can follow. */
export function wrongRotations({ metadata, spec }: RingleaderCluster, nowMs: number): Note[] {
  const names = Object.keys(metadata.annotations ?? {}).filter((name) => name.startsWith(ROTATE_PREFIX));
  const known: readonly string[] = Object.values(ROTATE_ANNOTATIONS);
  const notOurs = notOurRotations(spec);
  return names.sort().flatMap((name) => {
    if (!known.includes(name)) return wrong(`${name} is unknown: there are ${known.join(', ')}`).note;
    const reason = notOurs[name];
    if (reason !== undefined) return wrong(`${name} asks for what is not the operator’s: ${reason}`).note;
    const asked = askedIn({ metadata }, name, nowMs);
    return asked.kind === 'wrong' ? asked.note : [];
  });
}

function notOurRotations({ nats, security }: RingleaderCluster['spec']): Readonly<Record<string, string>> {
  return {
    ...(nats.external !== undefined && { [ROTATE_ANNOTATIONS.nats]: 'nats.external has its own keys' }),
    ...(security.certificateIssuer !== undefined && {
      [ROTATE_ANNOTATIONS.certificates]: 'security.certificateIssuer issues them',
      [ROTATE_ANNOTATIONS.authority]: 'security.certificateIssuer has its own',
    }),
    ...(!security.gateway.authentication && {
      [ROTATE_ANNOTATIONS.rootToken]: 'security.gateway.authentication is off',
    }),
  };
}
