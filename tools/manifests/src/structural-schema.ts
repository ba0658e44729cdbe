/**
 * From a zod schema to what the API server calls a structural schema: a type at each node, no references, no alternatives
 * (but for quantities, which may be numbers), nothing that only JSON Schema has. What it would refuse is refused here.
 */
import { OPERATOR_DEFAULT } from '@ringleader/contracts';
import { z } from 'zod';

export interface StructuralSchema {
  readonly description?: string;
  readonly type?: string;
  readonly properties?: Readonly<Record<string, StructuralSchema>>;
  readonly items?: StructuralSchema;
  readonly additionalProperties?: StructuralSchema;
  readonly [keyword: string]: unknown;
}

/** In the order in which they are written. */
const KEYWORDS = [
  ...['description', 'type', 'format', 'enum', 'default', 'minimum', 'maximum', 'minLength', 'maxLength'],
  ...['pattern', 'minItems', 'maxItems', 'maxProperties', 'required', 'properties', 'items'],
  ...['additionalProperties', 'anyOf', 'x-kubernetes-int-or-string', 'x-kubernetes-list-type'],
  ...['x-kubernetes-list-map-keys', 'x-kubernetes-validations'],
];
/** Of zod alone: keys of a map are text anyway, and it says of each whole number that a double can hold it. */
const LEFT_OUT = new Set(['$schema', 'propertyNames', OPERATOR_DEFAULT]);
const INT32_MAX = 2 ** 31 - 1;

type Node = Readonly<Record<string, unknown>>;

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const nodeAt = (value: unknown, path: string): StructuralSchema => {
  if (!isNode(value)) throw new Error(`${path} is no schema`);
  return structural(value, path);
};

function rangeOf({ minimum, maximum }: Node): Node {
  const low = typeof minimum === 'number' && minimum > Number.MIN_SAFE_INTEGER ? minimum : undefined;
  const high = typeof maximum === 'number' && maximum < Number.MAX_SAFE_INTEGER ? maximum : undefined;
  const isSmall = high !== undefined && high <= INT32_MAX && low !== undefined;
  return { format: isSmall ? 'int32' : 'int64', minimum: low, maximum: high };
}

function partsOf({ properties, items, additionalProperties }: Node, path: string): Node {
  const fields = isNode(properties) ? Object.entries(properties) : [];
  return {
    ...(fields.length > 0 && {
      properties: Object.fromEntries(fields.map(([name, field]) => [name, nodeAt(field, `${path}.${name}`)])),
    }),
    ...(items !== undefined && { items: nodeAt(items, `${path}[]`) }),
    ...(additionalProperties !== undefined && {
      additionalProperties: nodeAt(additionalProperties, `${path}.*`),
    }),
  };
}

function particularsOf(node: Node, path: string): Node {
  if (node['x-kubernetes-int-or-string'] === true)
    return { type: undefined, anyOf: [{ type: 'integer' }, { type: 'string' }] };
  if (node['anyOf'] !== undefined) throw new Error(`${path}: the API server takes no alternatives`);
  if (typeof node['type'] !== 'string') throw new Error(`${path}: a type is wanted`);
  if (node['type'] === 'integer') return rangeOf(node);
  // Its pattern says the same at length.
  if (node['format'] === 'date-time') return { pattern: undefined };
  return {};
}

function structural(node: Node, path: string): StructuralSchema {
  const unknown = Object.keys(node).filter((key) => !KEYWORDS.includes(key) && !LEFT_OUT.has(key));
  if (unknown.length > 0) throw new Error(`${path}: the API server does not know ${unknown.join(', ')}`);
  const hasDefault = node[OPERATOR_DEFAULT] !== true;
  const whole: Node = {
    ...node,
    ...(!hasDefault && { default: undefined }),
    ...particularsOf(node, path),
    ...partsOf(node, path),
  };
  return Object.fromEntries(
    KEYWORDS.flatMap((key) => (whole[key] === undefined ? [] : [[key, whole[key]] as const])),
  );
}

/** Of what users write: what has a default may be left out. */
export function structuralSchema(schema: z.ZodType, path: string): StructuralSchema {
  return nodeAt(z.toJSONSchema(schema, { io: 'input', target: 'openapi-3.0', reused: 'inline' }), path);
}
