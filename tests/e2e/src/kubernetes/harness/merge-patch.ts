/** A merge patch (RFC 7396), for objects: null takes away. */
export type Part = Readonly<Record<string, unknown>>;

export function merged(into: Part, part: Part): Part {
  const result: Record<string, unknown> = { ...into };
  for (const [name, value] of Object.entries(part)) {
    if (value === null) delete result[name];
    else result[name] = isPart(value) ? merged(isPart(result[name]) ? result[name] : {}, value) : value;
  }
  return result;
}

const isPart = (value: unknown): value is Part =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
