/** Whoever sends a request, as far as it is known, and what they may do. */
import type { IncomingMessage } from 'node:http';
import { OperationalError, allowsPrefix, allowsRange } from '@ringleader/contracts';
import type { ErrorDetails, Grant, GrantedRange, Role } from '@ringleader/contracts';
import { invariant } from '@ringleader/primitives';
import type { TokenBucket } from './token-bucket.js';

export interface Caller {
  /** Of the token. */
  readonly id: string;
  /** The ids of all records that it rests on: a ServiceAccount may have several; none where no coordinator keeps it. */
  readonly records: readonly string[];
  readonly name: string;
  readonly grants: readonly Grant[];
  /** Of whose tokens it is one, if it was not made by who administers the cluster. */
  readonly delegation?: string | undefined;
  /** By the clock of the wall; Infinity: never. */
  readonly expiresAtMs: number;
  /** Null: as many requests as there is room for. */
  readonly bucket: TokenBucket | null;
}

const EVERYTHING: readonly Grant[] = [{ role: 'admin', prefix: '' }];

/** May do everything, for ever. */
export function almighty(id: string): Caller {
  return { id, records: [], name: id, grants: EVERYTHING, expiresAtMs: Infinity, bucket: null };
}

const CALLER = Symbol('caller');
const IS_SETTLED = Symbol('what the caller may was asked');

interface Marked extends IncomingMessage {
  [CALLER]?: Caller;
  [IS_SETTLED]?: true;
}

export function markCaller(message: IncomingMessage, caller: Caller): void {
  (message as Marked)[CALLER] = caller;
}

/** Null before the guard knows, and for what is open to everybody. */
export function knownCaller(message: IncomingMessage): Caller | null {
  return (message as Marked)[CALLER] ?? null;
}

/** Whether anybody has asked what the caller may: the guard lets no answer out before that. */
export function isSettled(message: IncomingMessage): boolean {
  return (message as Marked)[IS_SETTLED] === true;
}

/** Of a request that the guard has let in. Whoever asks for it asks it what the caller may. */
export function callerOf(message: IncomingMessage): Caller {
  const caller = knownCaller(message);
  invariant(caller !== null, 'no handler runs before the guard knows who calls');
  (message as Marked)[IS_SETTLED] = true;
  return caller;
}

/** `index`: which operation of a batch it is. */
export function requireKey(caller: Caller, role: Role, key: string, index?: number): void {
  if (allowsPrefix(caller.grants, role, key)) return;
  const at = index === undefined ? {} : { index };
  throw forbidden(`This token may not ${role} the key`, { role, key, ...at });
}

export function requireRange(caller: Caller, role: Role, range: GrantedRange, prefix: string): void {
  if (allowsRange(caller.grants, role, range)) return;
  throw forbidden(`This token may not ${role} all keys that were asked for`, { role, prefix });
}

/** All keys that begin with it; empty: the cluster. */
export function requirePrefix(caller: Caller, role: Role, prefix: string): void {
  if (allowsPrefix(caller.grants, role, prefix)) return;
  const what = prefix === '' ? 'the cluster' : 'this prefix';
  throw forbidden(`This takes ${role} of ${what}, which the token does not have`, { role, prefix });
}

export function forbidden(detail: string, details: ErrorDetails): OperationalError {
  return new OperationalError('FORBIDDEN', detail, details);
}
