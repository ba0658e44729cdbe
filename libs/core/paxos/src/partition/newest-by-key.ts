/**
 * The newest of what there is for each key, in the order in which it came. Mostly that is a row or two, of a batch or of a
 * transaction: those are compared one by one, which costs a fraction of what a map does, to make and to ask.
 */
const FEW_MAX = 8;

export interface OfKey {
  readonly key: string;
}

export class NewestByKey<T extends OfKey> {
  private few: T[] = [];
  private many: Map<string, T> | null = null;

  get size(): number {
    return this.many?.size ?? this.few.length;
  }

  get(key: string): T | undefined {
    if (this.many !== null) return this.many.get(key);
    for (const item of this.few) if (item.key === key) return item;
    return undefined;
  }

  /** In place of what there was of its key, and behind all others. */
  put(item: T): void {
    if (this.many !== null) {
      this.many.delete(item.key);
      this.many.set(item.key, item);
      return;
    }
    const { few } = this;
    for (let at = 0; at < few.length; at += 1) {
      if (few[at]!.key !== item.key) continue;
      few.splice(at, 1);
      break;
    }
    // An array that is made with its first item has no room for more that is never used.
    if (few.length === 0) this.few = [item];
    else few.push(item);
    if (few.length > FEW_MAX) this.many = new Map(few.map((each) => [each.key, each]));
  }

  /** To be kept: nothing is put here any more. */
  all(): readonly T[] {
    return this.many === null ? this.few : [...this.many.values()];
  }
}
