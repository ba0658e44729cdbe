/**
 * Whether a live object still has all that was applied. Others may add to it (defaults, sidecars, annotations); what we wrote
 * must be there as we wrote it. Equal quantities in other words are equal: an operator that saw a difference in them wrote
 * for ever (Altinity/clickhouse-operator#1904).
 */
import { isSameQuantity } from './quantity.js';

type Json = unknown;
type JsonObject = Readonly<Record<string, Json>>;

/** Parents of quantities. */
const QUANTITIES = new Set(['requests', 'limits', 'capacity', 'hard']);
const QUANTITY_FIELDS = new Set(['sizeLimit', 'storage', 'divisor']);
/** What else somebody puts in would make them mean something else, and nobody puts in defaults. */
const EXACT = new Set(['selector', 'podSelector', 'namespaceSelector', 'labelSelector']);
/** By what elements of lists are told apart. */
const NAMES = ['name', 'containerPort', 'port', 'mountPath', 'topologyKey', 'ip'];

/** Where the first difference is, as in spec.replicas; null where there is none. */
export function driftOf(wanted: object, live: object): string | null {
  return differenceIn(wanted, live, []);
}

function differenceIn(wanted: Json, live: Json, path: readonly string[]): string | null {
  if (!isExact(path) && isLeftOut(wanted, live)) return null;
  if (Array.isArray(wanted)) return Array.isArray(live) ? inList(wanted, live, path) : path.join('.');
  if (isObject(wanted)) return isObject(live) ? inObject(wanted, live, path) : path.join('.');
  const isSame = wanted === live || (isQuantityAt(path) && isSameQuantity(wanted, live));
  return isSame ? null : path.join('.');
}

function inObject(wanted: JsonObject, live: JsonObject, path: readonly string[]): string | null {
  const added = Object.keys(live).find((field) => !(field in wanted));
  if (added !== undefined && isExact(path)) return [...path, added].join('.');
  return firstOf(Object.entries(wanted), ([field, value]) =>
    differenceIn(value, live[field], [...path, field]),
  );
}

function inList(wanted: readonly Json[], live: readonly Json[], path: readonly string[]): string | null {
  const name = NAMES.find((one) => wanted.every((item) => isObject(item) && one in item));
  if (name === undefined || wanted.length === 0) {
    if (wanted.length !== live.length) return path.join('.');
    return firstOf([...wanted.entries()], ([i, item]) => differenceIn(item, live[i], [...path, String(i)]));
  }
  return firstOf(wanted as readonly JsonObject[], (item) => {
    const at = [...path, String(item[name])];
    const named = live.filter((other) => isObject(other) && other[name] === item[name]);
    // Two of the same name, as a port for TCP and UDP, are told apart by the rest.
    const differences = named.map((other) => differenceIn(item, other, at));
    return differences.includes(null) ? null : (differences[0] ?? at.join('.'));
  });
}

function firstOf<T>(items: readonly T[], differenceOf: (item: T) => string | null): string | null {
  for (const item of items) {
    const difference = differenceOf(item);
    if (difference !== null) return difference;
  }
  return null;
}

const isExact = (path: readonly string[]): boolean => path.some((field) => EXACT.has(field));

function isQuantityAt(path: readonly string[]): boolean {
  return QUANTITIES.has(path.at(-2) ?? '') || QUANTITY_FIELDS.has(path.at(-1) ?? '');
}

/** The API server leaves out what is empty or zero, and puts in what it takes for the default of an empty part. */
function isLeftOut(wanted: Json, live: Json): boolean {
  if (wanted === false || wanted === 0) return isNothing(live);
  return isNothing(wanted) && (isNothing(live) || isObject(live));
}

function isNothing(value: Json): boolean {
  if (value === undefined || value === null || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
