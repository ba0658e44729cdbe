/**
 * How a secret takes the place of another without anybody being refused: first whoever checks it learns of the next one, then whoever
 * shows it is given that, and at the end the one before is forgotten. Where a secret stands says its own Secret: with a file `next` in
 * the first step, with `previous` in the second, so that whoever goes on after an interruption goes on from there.
 */
import type { KubeObject } from '../kubernetes/kube-api.js';
import { type Asked, isOlder } from '../planning/asked.js';
import { SINCE_ANNOTATION } from '../resources/index.js';
import type { Content } from './secret-content.js';

export interface Rotation {
  /** Where the secret is. */
  readonly file: string;
  readonly asked: Asked;
  readonly make: () => string;
  /** Whether all who check it know the next one, which is known for so long. */
  readonly mayShow: (next: string, forMs: number) => boolean;
  /** Whether all who show it show the new one, after so long. */
  readonly mayForget: (forMs: number) => boolean;
}

export interface Step {
  readonly data: Content;
  /** Null: as it was. */
  readonly since: string | null;
  readonly what: string;
}

/** Null: it stays as it is for now. */
export function nextStep(content: Content, sinceMs: number, nowMs: number, rotation: Rotation): Step | null {
  const { file, asked, make, mayShow, mayForget } = rotation;
  const { next, previous, [file]: present = '', ...rest } = content;
  const forMs = nowMs - sinceMs;
  const since = new Date(nowMs).toISOString();
  if (next !== undefined) {
    if (!mayShow(next, forMs)) return null;
    return { data: { ...rest, [file]: next, previous: present }, since, what: 'the next one is shown now' };
  }
  if (previous !== undefined) {
    if (!mayForget(forMs)) return null;
    return { data: { ...rest, [file]: present }, since: null, what: 'the one before is forgotten' };
  }
  if (!isOlder(asked, sinceMs)) return null;
  return { data: { ...content, next: make() }, since, what: 'another one is made known' };
}

export function sinceOf({ metadata: { annotations, creationTimestamp } }: KubeObject): string {
  return annotations?.[SINCE_ANNOTATION] ?? creationTimestamp ?? '';
}

/** All that are taken now, in an order that does not tell which is which. */
export function taken(content: Content, file: string): readonly [string, ...string[]] {
  const [first = '', ...more] = [content[file], content['next'], content['previous']]
    .flatMap((text) => (text === undefined ? [] : text.trim()))
    .sort();
  return [first, ...more];
}

export const isBetween = (content: Content): boolean => 'next' in content || 'previous' in content;
