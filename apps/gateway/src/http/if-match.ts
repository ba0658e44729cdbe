/** Conditions where no key is looked at, whose own are those of kv/preconditions.ts. */
import type { IncomingHttpHeaders } from 'node:http';
import { invalidHeader } from '../kv/request-context.js';

const NUMBER = /^"(\d{1,15})"$/;

/** Of what has a number where keys have a revision; null where the client names none. `what` says which number that is. */
export function ifMatchOf(headers: IncomingHttpHeaders, what: string): number | null {
  const ifMatch = headers['if-match'];
  if (ifMatch === undefined) return null;
  const [, number] = NUMBER.exec(ifMatch) ?? [];
  if (number !== undefined) return Number(number);
  throw invalidHeader('If-Match', `is ${what} in quotes, as in "17"`);
}

/** Whether the client has what it would be sent. Compared weakly (RFC 9110, 13.1.2). */
export function hasAlready({ 'if-none-match': tags }: IncomingHttpHeaders, etag: string): boolean {
  const known = tags?.split(',').map((tag) => tag.trim().replace(/^W\//, '')) ?? [];
  return known.includes(etag) || known.includes('*');
}
