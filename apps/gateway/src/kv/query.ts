/** Query parameters: each known, each at most once. */
import { OperationalError } from '@ringleader/contracts';
import { percentDecode } from './request-target.js';

export type Query = ReadonlyMap<string, string>;

const NOTHING: Query = new Map();
const NAME_LENGTH_SHOWN = 64;

/** `query` is what stands behind the question mark. An unknown or repeated parameter is refused by its name. */
export function parseQuery(query: string, allowed: readonly string[]): Query {
  if (query === '') return NOTHING;
  const parameters = new Map<string, string>();
  for (const part of query.split('&')) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    const name = nameOf(equals === -1 ? part : part.slice(0, equals));
    if (!allowed.includes(name)) throw unknownParameter(name, allowed);
    if (parameters.has(name)) throw invalidParameter(name, `The query parameter ${name} is given twice`);
    const value = equals === -1 ? '' : part.slice(equals + 1);
    const what = `The query parameter ${name}`;
    parameters.set(name, percentDecode(value, { what, parameter: name, plusIsSpace: true }));
  }
  return parameters;
}

function nameOf(text: string): string {
  const what = 'The name of a query parameter';
  return percentDecode(text, { what, parameter: text.slice(0, NAME_LENGTH_SHOWN), plusIsSpace: true });
}

export function integerParameter(query: Query, name: string, min: number, max: number): number | undefined {
  const text = query.get(name);
  if (text === undefined) return undefined;
  const value = parseInteger(text);
  if (value !== null && value >= min && value <= max) return value;
  throw invalidParameter(name, `${name} is an integer from ${min} to ${max}`, { min, max });
}

export function booleanParameter(query: Query, name: string): boolean {
  const text = query.get(name);
  if (text === undefined || text === 'false') return false;
  if (text === 'true') return true;
  throw invalidParameter(name, `${name} is true or false`, { allowed: ['true', 'false'] });
}

export type Consistency =
  { readonly kind: 'linearizable' } | { readonly kind: 'stale'; readonly maxStalenessMs: number | null };

export const CONSISTENCY_PARAMETERS = ['consistency', 'maxStalenessMs'];
const LINEARIZABLE: Consistency = { kind: 'linearizable' };

export function consistencyOf(query: Query): Consistency {
  const kind = query.get('consistency') ?? 'linearizable';
  const maxStalenessMs = integerParameter(query, 'maxStalenessMs', 0, Number.MAX_SAFE_INTEGER);
  if (kind === 'stale') return { kind, maxStalenessMs: maxStalenessMs ?? null };
  if (kind !== 'linearizable') {
    const allowed = ['linearizable', 'stale'];
    throw invalidParameter('consistency', 'consistency is linearizable or stale', { allowed });
  }
  if (maxStalenessMs !== undefined) {
    throw invalidParameter('maxStalenessMs', 'maxStalenessMs goes with consistency=stale only');
  }
  return LINEARIZABLE;
}

/** Null where it is not a plain decimal integer below 2^53. */
export function parseInteger(text: string): number | null {
  if (!/^\d{1,16}$/.test(text)) return null;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : null;
}

function unknownParameter(name: string, allowed: readonly string[]): OperationalError {
  const shown = name.slice(0, NAME_LENGTH_SHOWN);
  return invalidParameter(shown, `There is no query parameter ${JSON.stringify(shown)} here`, { allowed });
}

function invalidParameter(
  parameter: string,
  detail: string,
  fields: Readonly<Record<string, unknown>> = {},
): OperationalError {
  return new OperationalError('INVALID_ARGUMENT', detail, { parameter, ...fields });
}
