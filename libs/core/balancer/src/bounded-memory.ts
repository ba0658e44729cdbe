const ENTRIES_MAX = 1024;

/** A map that forgets what was set longest ago, since candidates that are gone for good are never announced as such. */
export class BoundedMemory<Key, Value> {
  readonly #entries = new Map<Key, Value>();

  get(key: Key): Value | undefined {
    return this.#entries.get(key);
  }

  set(key: Key, value: Value): void {
    // Deleted first, so that the map's order is the order of the last changes.
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size <= ENTRIES_MAX) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      return;
    }
  }
}
