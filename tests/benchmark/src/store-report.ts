/** What the coordinator's store costs as it grows: CPU time per operation, each of one key unless it says otherwise. */
import { setFlagsFromString } from 'node:v8';
import {
  type CommandResult,
  MvccStore,
  decodeCommand,
  encodeCommand,
  plainRead,
  snapshotOf,
  storeOf,
} from '@ringleader/mvcc';
import { seededPrng } from '@ringleader/primitives';

const VALUE_BYTES = 200;
const TERM = 1;
const PAGE = 100;
const PAGES = 2_000;

const keyOf = (i: number): string => `/registry/pods/ns-${i % 997}/pod-${String(i).padStart(8, '0')}`;

/** Microseconds of CPU time per operation, the collector's included, by what is done. */
type Costs = Map<string, number>;

export function storeReport(sizes: readonly number[]): string {
  // As every service of ours runs; V8 has it from version 14 on.
  if (Number(process.versions.v8.split('.')[0]) >= 14)
    setFlagsFromString('--external-memory-accounted-in-global-limit');
  const costs = sizes.map(costsAt);
  const names = [...(costs[0]?.keys() ?? [])];
  const head = `| µs of CPU | ${sizes.map((size) => `${size} keys`).join(' | ')} |`;
  const rows = names.map(
    (name) => `| ${name} | ${costs.map((cost) => cost.get(name)?.toFixed(2)).join(' | ')} |`,
  );
  return [head, `| --- |${' --- |'.repeat(sizes.length)}`, ...rows].join('\n');
}

function costsAt(size: number): Costs {
  const costs: Costs = new Map();
  const timed = <T>(name: string, operations: number, run: () => T): T => {
    const before = process.cpuUsage();
    const result = run();
    const { user, system } = process.cpuUsage(before);
    costs.set(name, (user + system) / operations);
    return result;
  };
  const order = shuffled(size);
  const pages = order.slice(0, PAGES);
  const store = new MvccStore();
  const putAll = (): void => order.forEach((i) => put(store, keyOf(i)));
  const page = (i: number, revision: number): unknown =>
    store.range({ ...plainRead, key: keyOf(i), rangeEnd: '', limit: PAGE, revision });
  timed('put of a new key, from the log', size, putAll);
  timed('put of an old key, from the log', size, putAll);
  timed('read', size, () =>
    order.forEach((i) => store.range({ ...plainRead, key: keyOf(i), rangeEnd: null })),
  );
  timed('page of 100 and the count of all behind', pages.length, () => pages.forEach((i) => page(i, 0)));
  timed('such a page, 1,000 revisions ago', pages.length, () =>
    pages.forEach((i) => page(i, store.revision - 1_000)),
  );
  timed('read in one range of all', size, () => store.range({ ...plainRead, key: '', rangeEnd: '' }));
  timed('compaction, of a revision', size, () => store.apply({ kind: 'compact', revision: size }, TERM));
  const chunks = timed('snapshot, of a state', size * 2, () => [...snapshotOf(store)]);
  timed('restart, of a state', size * 2, () => storeOf(chunks));
  return costs;
}

function put(store: MvccStore, key: string): CommandResult {
  const value = new Uint8Array(VALUE_BYTES).fill(key.length);
  const success = [{ kind: 'put', key, value, lease: 0, wantsPrevious: false } as const];
  return store.apply(decodeCommand(encodeCommand({ kind: 'txn', compare: [], success, failure: [] })), TERM);
}

function shuffled(size: number): number[] {
  const prng = seededPrng(1);
  const order = Array.from({ length: size }, (_, i) => i);
  for (let i = size - 1; i > 0; i--) {
    const j = prng.nextBelow(i + 1);
    [order[i], order[j]] = [order[j] as number, order[i] as number];
  }
  return order;
}
