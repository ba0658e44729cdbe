import type { KeyValue, RangeResult } from './commands.js';

export interface RangeBounds {
  /** 0 is "no limit". */
  readonly limit: number;
  /** Stops before the item with which keys and values are longer than this, in UTF-16 units, but gives one at least. */
  readonly lengthMax?: number;
}

/** Items up to the bounds, and the count of all. */
export function collectRange(live: Iterable<KeyValue>, bounds: RangeBounds): RangeResult {
  const { limit, lengthMax = Infinity } = bounds;
  const items: KeyValue[] = [];
  let count = 0;
  let length = 0;
  let isFull = false;
  for (const item of live) {
    count += 1;
    if (isFull) continue;
    length += item.key.length + item.value.length;
    if ((limit !== 0 && items.length === limit) || (items.length > 0 && length > lengthMax)) isFull = true;
    else items.push(item);
  }
  return { items, count, more: isFull };
}
