/** What the events of GET /v1/cluster/events tell. */
import type {
  ClusterEvent,
  ClusterView,
  LoadEvent,
  LoadHistoryView,
  MovesEvent,
} from '@ringleader/contracts';
import type { MonotonicMs } from '@ringleader/primitives';
import { RecentDurations } from '../health/http-metrics.js';
import type { EventSources } from './cluster-events.js';
import type { Placement } from './placement-observer.js';

export interface EventIngredients {
  readonly view: () => ClusterView;
  readonly placement: () => Placement | null;
  readonly durations: RecentDurations;
  /** What was measured, looked at or not. */
  readonly history: { readonly items: LoadHistoryView['items'] };
  readonly monotonicMs?: () => MonotonicMs;
}

const MS_PER_SECOND = 1_000;
/** Whoever comes after nobody has looked for longer is not told of all the time since then as if it were the present. */
const RECENT_MS = 5_000;

export function eventSources({
  view,
  placement,
  durations,
  history,
  monotonicMs = () => performance.now(),
}: EventIngredients): EventSources {
  const look = (): Counted => ({ at: monotonicMs(), counts: durations.snapshot() });
  let before = look();
  return {
    cluster: () => clusterEvent(view()),
    moves: () => movesEvent(placement()),
    load: () => {
      const now = look();
      const measured = now.at - before.at > RECENT_MS ? history.items.at(-1) : undefined;
      const requests = measured === undefined ? requestsBetween(before, now) : requestsOf(measured);
      before = now;
      return loadEvent(view(), requests);
    },
  };
}

function clusterEvent(view: ClusterView): ClusterEvent {
  const { coordinator } = view;
  const members = view.members.map(({ load, phi, ...member }) => {
    void [load, phi];
    return member;
  });
  const group = coordinator.members.map(({ match, ...member }) => {
    void match;
    return member;
  });
  return { ...view, members, coordinator: { ...coordinator, members: group } };
}

function movesEvent(placement: Placement | null): MovesEvent | null {
  return placement === null ? null : { ...placement.plan, shards: placement.shards };
}

export interface Counted {
  /** Milliseconds, always forward. */
  readonly at: number;
  readonly counts: Float64Array;
}

export function requestsBetween(before: Counted, now: Counted): LoadEvent['requests'] {
  const seconds = (now.at - before.at) / MS_PER_SECOND;
  const requests = RecentDurations.total(now.counts) - RecentDurations.total(before.counts);
  const quantile = (q: number): number | null => RecentDurations.quantileMs(before.counts, now.counts, q);
  return {
    perSecond: seconds > 0 ? Math.round((requests / seconds) * 10) / 10 : 0,
    latencyMsP50: quantile(0.5),
    latencyMsP99: quantile(0.99),
  };
}

function requestsOf({
  perSecond,
  latencyMsP50,
  latencyMsP99,
}: LoadHistoryView['items'][number]): LoadEvent['requests'] {
  return { perSecond, latencyMsP50, latencyMsP99 };
}

function loadEvent(view: ClusterView, requests: LoadEvent['requests']): LoadEvent {
  const members = view.members.map(({ service, id, phi, load }) => ({ service, id, phi, load }));
  return { at: new Date().toISOString(), requests, members };
}
