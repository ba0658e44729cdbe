import { Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client';
import type { Histogram, MetricValueWithName } from 'prom-client';

export { Counter, Gauge, Histogram, Registry } from 'prom-client';

/**
 * Each look at the event loop wakes the process: a hundred times a second, by default, in each of the ten processes of a
 * cluster that has nothing else to do. What is measured is the whole time between two looks: how late the loop is, and this.
 */
export const EVENT_LOOP_LOOKS_EVERY_MS = 250;

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

/** One combination of labels: add to it with `TalliedHistogram.observe`. */
export interface Tally {
  readonly labels: Readonly<Record<string, string>>;
  /** Of each bucket alone; the last is for what is above all of them. */
  readonly counts: Float64Array;
  sum: number;
}

/**
 * A histogram of what happens ten thousands of times a second. The library's looks up its labels at each observation; here
 * whoever observes keeps the tally, so that an observation is an addition, and the rest is done when Prometheus asks.
 */
export class TalliedHistogram {
  readonly type = 'histogram';
  private readonly tallies: Tally[] = [];

  constructor(
    readonly name: string,
    readonly help: string,
    private readonly upperBounds: readonly number[],
    registry: Registry,
  ) {
    // What the registry uses of a metric is `name` and `get`.
    registry.registerMetric(this as unknown as Histogram);
  }

  /** Each combination of labels once. */
  tally(labels: Readonly<Record<string, string>>): Tally {
    const tally = { labels, counts: new Float64Array(this.upperBounds.length + 1), sum: 0 };
    this.tallies.push(tally);
    return tally;
  }

  observe(tally: Tally, value: number): void {
    const { upperBounds } = this;
    let bucket = 0;
    while (bucket < upperBounds.length && value > (upperBounds[bucket] as number)) bucket += 1;
    tally.counts[bucket] = (tally.counts[bucket] as number) + 1;
    tally.sum += value;
  }

  get(): Promise<Pick<this, 'name' | 'help' | 'type'> & { values: MetricValueWithName<string>[] }> {
    const { name, help, type } = this;
    const values = this.tallies.flatMap((tally) => this.valuesOf(tally));
    return Promise.resolve({ name, help, type, values });
  }

  private valuesOf({ labels, counts, sum }: Tally): MetricValueWithName<string>[] {
    const { name, upperBounds } = this;
    let count = 0;
    const buckets = [...counts].map((ofBucket, i) => {
      count += ofBucket;
      return {
        metricName: `${name}_bucket`,
        labels: { ...labels, le: upperBounds[i] ?? '+Inf' },
        value: count,
      };
    });
    const [total, number] = [`${name}_sum`, `${name}_count`];
    return [
      ...buckets,
      { metricName: total, labels, value: sum },
      { metricName: number, labels, value: count },
    ];
  }
}
