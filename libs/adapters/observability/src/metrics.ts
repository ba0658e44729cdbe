import { Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client';

export { Counter, Gauge, Histogram, Registry } from 'prom-client';

/**
 * Each look at the event loop wakes the process: a hundred times a second, by default, which is more than a tenth of what
 * an idle cluster costs.
 */
const EVENT_LOOP_LOOKS_EVERY_MS = 50;

/** A registry with the process's own figures (CPU, memory, event loop, garbage collection) under a `ringleader_` prefix. */
export function createMetrics(labels: Readonly<Record<string, string>>): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ ...labels });
  collectDefaultMetrics({
    register: registry,
    prefix: 'ringleader_',
    eventLoopMonitoringPrecision: EVENT_LOOP_LOOKS_EVERY_MS,
  });
  return registry;
}

/** Figures that exist anyway: they are read when Prometheus asks for them, and cost nothing in between. */
export class ReadFigures {
  constructor(
    private readonly registry: Registry,
    /** Of the names: `ringleader_shard_`. */
    private readonly prefix: string,
  ) {}

  gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name: `${this.prefix}${name}`,
      help,
      registers: [this.registry],
      collect() {
        this.set(read());
      },
    });
  }

  /** `read` gives the total since the process started; the name ends in `_total`. */
  counter(name: string, help: string, read: () => number): void {
    new Counter({
      name: `${this.prefix}${name}`,
      help,
      registers: [this.registry],
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  }

  /** One figure for each key of a map; with several labels the key is their values, with a space between. */
  countersBy<Label extends string>(
    { name, help, label }: { name: string; help: string; label: Label | readonly Label[] },
    read: () => ReadonlyMap<string, number>,
  ): void {
    new Counter<Label>({
      name: `${this.prefix}${name}`,
      help,
      labelNames: Array.isArray(label) ? label : [label],
      registers: [this.registry],
      collect() {
        this.reset();
        for (const [key, count] of read()) this.labels(...key.split(' ')).inc(count);
      },
    });
  }
}
