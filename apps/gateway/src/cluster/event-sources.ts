/** What the events of GET /v1/cluster/events tell. */
import type { ClusterEvent, ClusterView, LoadEvent, MovesEvent } from '@ringleader/contracts';
import { RecentDurations } from '../health/http-metrics.js';
import type { EventSources } from './cluster-events.js';
import type { Placement } from './placement-observer.js';

export interface EventIngredients {
  readonly view: () => ClusterView;
  readonly placement: () => Placement | null;
  readonly durations: RecentDurations;
}

const MS_PER_SECOND = 1_000;

export function eventSources({ view, placement, durations }: EventIngredients): EventSources {
  let before = { at: performance.now(), counts: durations.snapshot() };
  return {
    cluster: () => clusterEvent(view()),
    moves: () => movesEvent(placement()),
    load: () => {
      const now = { at: performance.now(), counts: durations.snapshot() };
      const requests = requestsBetween(before, now);
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

function loadEvent(view: ClusterView, requests: LoadEvent['requests']): LoadEvent {
  const members = view.members.map(({ service, id, phi, load }) => ({ service, id, phi, load }));
  return { at: new Date().toISOString(), requests, members };
}
