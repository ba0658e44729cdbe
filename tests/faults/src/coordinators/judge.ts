/**
 * Judges what clients and watchers of the coordinators were told. Watchers saw the same events, each once, in the order of their
 * revisions, whole. With these events every revision's state is known, so that whole transactions can be judged one by
 * one: each answer is that of the state at its revision, and revisions keep to the order in which operations were made. Each
 * key by itself is judged by the general checker, which does not go by revisions alone.
 */
import { isDeepStrictEqual } from 'node:util';
import type { KeyValue, WatchEvent } from '@ringleader/contracts';
import { checkOperations, kvWithConditions } from '@ringleader/testing-linearizability';
import type { KvInput, KvOutput, Operation } from '@ringleader/testing-linearizability';
import type { Asked, Condition, Delivery, Recorded, Told } from './recorded.js';

type KeyOperation = Operation<KvInput, KvOutput>;

/** Sentences: what was wrong, if anything. */
export function judge(history: readonly Recorded[], watchers: readonly (readonly Delivery[])[]): string[] {
  const [first = [], ...others] = watchers;
  const events = first.flat();
  const story = new Story(events);
  return [
    ...watchers.flatMap((deliveries, i) => judgeOrder(deliveries).map((text) => `watcher ${i}: ${text}`)),
    ...others.flatMap((deliveries, i) =>
      judgeSame(events, deliveries.flat()).map((text) => `watcher ${i + 1}: ${text}`),
    ),
    ...history.flatMap((recorded) => story.judge(recorded)),
    ...judgeRealTime(history),
    ...judgeKeys(history, story),
  ];
}

/** Revisions ascend, and one is never given in two parts. */
function judgeOrder(deliveries: readonly Delivery[]): string[] {
  const wrong: string[] = [];
  let last = 0;
  for (const delivery of deliveries) {
    let within = last;
    delivery.forEach(({ item: { modRevision } }, i) => {
      if (modRevision < within || (i === 0 && modRevision === last))
        wrong.push(`revision ${modRevision} came after ${within}`);
      within = modRevision;
    });
    last = within;
  }
  return wrong;
}

const named = ({ kind, item }: WatchEvent): string =>
  `${item.modRevision} ${kind} ${item.key} ${item.value} v${item.version}`;

function judgeSame(events: readonly WatchEvent[], seen: readonly WatchEvent[]): string[] {
  const at = events.findIndex((event, i) => seen[i] === undefined || named(event) !== named(seen[i]));
  if (at < 0 && events.length === seen.length) return [];
  const place = at < 0 ? events.length : at;
  const text = (event: WatchEvent | undefined): string => (event === undefined ? 'nothing' : named(event));
  return [`saw ${text(seen[place])} where another saw ${text(events[place])}`];
}

/** What became of the keys, revision by revision. */
class Story {
  readonly #events: ReadonlyMap<number, readonly WatchEvent[]>;
  readonly #byKey: ReadonlyMap<string, readonly WatchEvent[]>;
  readonly #byValue: ReadonlyMap<string, readonly WatchEvent[]>;

  constructor(events: readonly WatchEvent[]) {
    this.#events = Map.groupBy(events, ({ item }) => item.modRevision);
    this.#byKey = Map.groupBy(events, ({ item }) => item.key);
    this.#byValue = Map.groupBy(
      events.filter(({ kind }) => kind === 'put'),
      ({ item }) => item.value,
    );
  }

  judge({ asked, told }: Recorded): string[] {
    if (told === null) return [];
    const { condition, writes, reads } = asked;
    const { revision, succeeded } = told;
    const about = `${describe(asked)} at revision ${revision}`;
    if (writes.size === 0) return this.#judgeItems(about, reads, told);
    return succeeded ? this.#judgeChange(about, asked, told) : this.#judgeRefusal(about, condition, told);
  }

  #judgeRefusal(about: string, condition: Condition | null, told: Told): string[] {
    const held =
      condition !== null && this.#revisionOf(condition.key, told.revision) === condition.modRevision;
    const wrong = held ? [`${about} failed, and its condition held`] : [];
    return [...wrong, ...this.#judgeItems(about, condition === null ? [] : [condition.key], told)];
  }

  #judgeChange(about: string, { condition, writes }: Asked, { revision, isChange }: Told): string[] {
    const before = isChange ? revision - 1 : revision;
    const isHeld = condition === null || this.#revisionOf(condition.key, before) === condition.modRevision;
    const isDone = isChange
      ? this.#isDone(writes, revision)
      : [...writes.keys()].every((key) => this.at(key, revision) === null);
    return [
      ...(isHeld ? [] : [`${about} succeeded without its condition`]),
      ...(isDone ? [] : [`${about} was acknowledged, and is not there`]),
    ];
  }

  /** The event of an unanswered put: its value is no other's. */
  eventOf(key: string, value: string): WatchEvent | undefined {
    return this.#byValue.get(value)?.find(({ item }) => item.key === key);
  }

  /** The newest event of the key up to the revision. */
  at(key: string, revision: number): KeyValue | null {
    const events = this.#byKey.get(key) ?? [];
    let [low, high] = [0, events.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (events[middle]!.item.modRevision <= revision) low = middle + 1;
      else high = middle;
    }
    const event = events[low - 1];
    return event === undefined || event.kind === 'delete' ? null : event.item;
  }

  #revisionOf(key: string, revision: number): number {
    return this.at(key, revision)?.modRevision ?? 0;
  }

  #judgeItems(about: string, keys: readonly string[], { revision, items }: Told): string[] {
    return keys.flatMap((key) => {
      const expected = describeItem(this.at(key, revision));
      const given = describeItem(items.find((item) => item.key === key) ?? null);
      return expected === given ? [] : [`${about}: ${key} is ${expected}, and ${given} was answered`];
    });
  }

  #isDone(writes: Asked['writes'], revision: number): boolean {
    const said = (key: string, value: string | null): string => `${key} ${value ?? 'deleted'}`;
    const done = (this.#events.get(revision) ?? []).map(({ kind, item }) =>
      said(item.key, kind === 'put' ? item.value : null),
    );
    return isDeepStrictEqual(done.toSorted(), [...writes].map(([key, value]) => said(key, value)).toSorted());
  }
}

/** Who begins when another has ended sees what it saw, and more if it writes. */
function judgeRealTime(history: readonly Recorded[]): string[] {
  const answered = history.flatMap((recorded) =>
    recorded.told === null ? [] : [{ ...recorded, told: recorded.told }],
  );
  const byEnd = answered.toSorted((a, b) => a.returnedAt - b.returnedAt);
  const wrong: string[] = [];
  let ended = 0;
  let newest = 0;
  for (const { asked, told, invokedAt } of answered.toSorted((a, b) => a.invokedAt - b.invokedAt)) {
    for (; byEnd[ended] !== undefined && byEnd[ended]!.returnedAt < invokedAt; ended += 1)
      newest = Math.max(newest, byEnd[ended]!.told.revision);
    if (told.revision < newest || (told.isChange && told.revision === newest))
      wrong.push(
        `${describe(asked)} at revision ${told.revision} began after revision ${newest} was answered`,
      );
  }
  return wrong;
}

function judgeKeys(history: readonly Recorded[], story: Story): string[] {
  const result = checkOperations(
    kvWithConditions,
    history.flatMap((recorded) => keyOperations(recorded, story)),
  );
  if (result.verdict === 'linearizable') return [];
  return [result.verdict === 'violation' ? result.counterexample : `undecided: ${result.undecided.join()}`];
}

function keyOperations(
  { process, asked, told, invokedAt, returnedAt }: Recorded,
  story: Story,
): KeyOperation[] {
  const times = { process, invokedAt, returnedAt };
  const itemOf = (key: string): KeyValue | undefined => told?.items.find((item) => item.key === key);
  const reads = asked.reads.map((key): KeyOperation => {
    const item = itemOf(key);
    const output: KvOutput =
      item === undefined
        ? { kind: 'absent' }
        : { kind: 'row', value: item.value, revision: item.modRevision, version: item.version };
    return { ...times, input: { op: 'get', key }, outcome: { kind: 'ok', output } };
  });
  const writes = [...asked.writes].flatMap(([key, value]): KeyOperation[] => {
    const conditions =
      asked.condition === null ? {} : { conditions: { ifRevision: asked.condition.modRevision } };
    const input: KvInput =
      value === null ? { op: 'delete', key, ...conditions } : { op: 'put', key, value, ...conditions };
    if (told !== null)
      return [{ ...times, input, outcome: { kind: 'ok', output: outputOf(told, itemOf(key)) } }];
    const event = value === null ? null : story.eventOf(key, value);
    // All that was ever written has been seen: it was not done.
    if (event === undefined) return [];
    if (event === null) return [{ ...times, input, outcome: { kind: 'unknown' } }];
    const { modRevision: revision, version } = event.item;
    return [
      { ...times, input, outcome: { kind: 'unknown', ifDone: { kind: 'written', revision, version } } },
    ];
  });
  return [...reads, ...writes];
}

function outputOf({ succeeded, revision, isChange }: Told, item: KeyValue | undefined): KvOutput {
  if (!succeeded)
    return { kind: 'conditionFailed', revision: item?.modRevision ?? 0, version: item?.version ?? 0 };
  return isChange ? { kind: 'written', revision } : { kind: 'absent' };
}

const describeItem = (item: KeyValue | null): string =>
  item === null ? 'absent' : `${item.value} (revision ${item.modRevision}, version ${item.version})`;

function describe({ condition, writes, reads }: Asked): string {
  const written = [...writes].map(([key, value]) =>
    value === null ? `delete ${key}` : `put ${key} ${value}`,
  );
  const what = written.length > 0 ? written.join(', ') : `read ${reads.join()}`;
  return condition === null ? what : `${what} if ${condition.key} is of revision ${condition.modRevision}`;
}
