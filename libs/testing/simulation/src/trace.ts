/** The last events of a run, kept unformatted: formatting happens only for the report of a failure. */
export interface TraceEntry {
  readonly time: number;
  readonly what: string;
  readonly details: readonly unknown[];
}

export class Trace {
  readonly #capacity: number;
  readonly #entries: TraceEntry[] = [];
  #next = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** `details` must not be changed afterwards: they are formatted later, or never. */
  add(time: number, what: string, ...details: readonly unknown[]): void {
    if (this.#capacity === 0) return;
    this.#entries[this.#next] = { time, what, details };
    this.#next = (this.#next + 1) % this.#capacity;
  }

  lines(): string[] {
    const ordered = [...this.#entries.slice(this.#next), ...this.#entries.slice(0, this.#next)];
    return ordered.map((entry) => {
      const details = entry.details.map((detail) => (typeof detail === 'string' ? detail : toText(detail)));
      return [entry.time.toFixed(2).padStart(10), entry.what, ...details].join(' ');
    });
  }
}

const UTF8 = new TextDecoder();

function toText(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner instanceof Uint8Array ? `bytes:${UTF8.decode(inner)}` : inner,
  );
}
