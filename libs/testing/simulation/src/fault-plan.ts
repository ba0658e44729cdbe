/**
 * Which faults a run has, as data drawn from its seed. Every seed draws which kinds of faults it has and how often
 * ("swarm testing", Groce et al., ISSTA 2012): a run with all kinds at once rarely gets far enough for the rare ones.
 */
import type { Prng } from '@ringleader/primitives';
import { GOOD_LINK, type LinkQuality, type NodeId } from './network.js';
import type { ClockSettings } from './node-clock.js';
import type { StorageLatency } from './simulated-log.js';

export type Fault =
  | { readonly kind: 'crash'; readonly nodes: readonly NodeId[] }
  | { readonly kind: 'pause'; readonly node: NodeId }
  /** The monotonic clock stands still meanwhile: a suspended or migrated machine. */
  | { readonly kind: 'suspend'; readonly node: NodeId }
  /** Nothing passes between the two sides. */
  | { readonly kind: 'partition'; readonly side: readonly NodeId[]; readonly others: readonly NodeId[] }
  /** Nothing passes from `from` to `to`, everything does the other way. */
  | { readonly kind: 'oneWay'; readonly from: readonly NodeId[]; readonly to: readonly NodeId[] }
  | { readonly kind: 'badLinks'; readonly quality: LinkQuality }
  | { readonly kind: 'slowStorage'; readonly node: NodeId; readonly latency: StorageLatency }
  | { readonly kind: 'stepWallClock'; readonly node: NodeId; readonly byMs: number };

export type FaultKind = Fault['kind'];

export interface PlannedFault {
  readonly startsAtMs: number;
  /** For `crash`: how long the nodes stay down. */
  readonly durationMs: number;
  readonly fault: Fault;
}

export interface FaultPlan {
  readonly links: LinkQuality;
  readonly storage: StorageLatency;
  readonly clocks: ReadonlyMap<NodeId, ClockSettings>;
  readonly faults: readonly PlannedFault[];
}

export interface FaultOptions {
  readonly nodes: readonly NodeId[];
  readonly startMs: number;
  readonly endMs: number;
  /** The longest a fault lasts; about a third of it is usual. Should exceed the leases and time-outs under test. */
  readonly faultDurationMaxMs: number;
  /** Clock rates lie in 1 - d .. 1 + d. */
  readonly clockDriftMax: number;
  readonly wallSkewMaxMs: number;
  /** 0 = none; 1 = a fault starts every `faultDurationMaxMs` or so, more with higher values. */
  readonly intensity: number;
  /** Kinds that may be drawn. */
  readonly kinds: readonly FaultKind[];
}

export const ALL_FAULT_KINDS: readonly FaultKind[] = [
  'crash',
  'pause',
  'suspend',
  'partition',
  'oneWay',
  'badLinks',
  'slowStorage',
  'stepWallClock',
];

export function drawFaultPlan(prng: Prng, options: FaultOptions): FaultPlan {
  const kinds = options.kinds.filter(() => prng.nextBelow(2) === 0);
  const faults: PlannedFault[] = [];
  const meanGapMs = options.intensity === 0 ? Infinity : options.faultDurationMaxMs / options.intensity;
  let at = options.startMs;
  for (;;) {
    at += meanGapMs * 2 * prng.nextFloat();
    const kind = kinds[prng.nextBelow(Math.max(1, kinds.length))];
    if (kind === undefined || !(at < options.endMs)) break;
    const wanted = options.faultDurationMaxMs * prng.nextFloat() ** 2;
    const durationMs = Math.max(1, Math.min(wanted, options.endMs - at));
    faults.push({ startsAtMs: at, durationMs, fault: drawFault(prng, kind, options) });
  }
  return {
    links: drawLinks(prng, prng.nextBelow(2) === 0 ? 0 : 0.05),
    storage: { minMs: 0.1, maxMs: prng.nextBelow(3) === 0 ? 20 : 2 },
    clocks: new Map(options.nodes.map((id) => [id, drawClock(prng, options)])),
    faults,
  };
}

export function drawFault(
  prng: Prng,
  kind: FaultKind,
  options: Pick<FaultOptions, 'nodes' | 'faultDurationMaxMs' | 'wallSkewMaxMs'>,
): Fault {
  const node = options.nodes[prng.nextBelow(options.nodes.length)] ?? 0;
  switch (kind) {
    case 'crash': {
      const all = prng.nextBelow(6) === 0;
      return { kind, nodes: all ? options.nodes : [node] };
    }
    case 'pause':
    case 'suspend':
      return { kind, node };
    case 'partition': {
      const [side, others] = drawSides(prng, options.nodes);
      return { kind, side, others };
    }
    case 'oneWay': {
      const [from, to] = drawSides(prng, options.nodes);
      return { kind, from, to };
    }
    case 'badLinks':
      return { kind, quality: drawLinks(prng, 0.3) };
    case 'slowStorage':
      return {
        kind,
        node,
        latency: { minMs: 1, maxMs: 10 + prng.nextFloat() * options.faultDurationMaxMs * 0.2 },
      };
    case 'stepWallClock':
      return { kind, node, byMs: (prng.nextFloat() * 2 - 1) * options.wallSkewMaxMs };
  }
}

/** Two sides, neither empty. */
function drawSides(prng: Prng, nodes: readonly NodeId[]): [NodeId[], NodeId[]] {
  const chosen = nodes.filter(() => prng.nextBelow(2) === 0);
  const first = nodes[prng.nextBelow(nodes.length)] ?? 0;
  const side = chosen.length === 0 || chosen.length === nodes.length ? [first] : chosen;
  return [side, nodes.filter((id) => !side.includes(id))];
}

function drawLinks(prng: Prng, trouble: number): LinkQuality {
  if (trouble === 0) return GOOD_LINK;
  return {
    delayMinMs: 0.2,
    delayMaxMs: 1 + prng.nextFloat() * 10,
    tailProbability: trouble * prng.nextFloat(),
    tailDelayMs: 50 + prng.nextFloat() * 1_000,
    lossProbability: trouble * prng.nextFloat(),
    duplicateProbability: trouble * prng.nextFloat(),
  };
}

export function drawClock(
  prng: Prng,
  options: Pick<FaultOptions, 'clockDriftMax' | 'wallSkewMaxMs'>,
): ClockSettings {
  return {
    rate: 1 + (prng.nextFloat() * 2 - 1) * options.clockDriftMax,
    monotonicStartMs: 1_000 + Math.floor(prng.nextFloat() * 1_000_000),
    wallSkewMs: (prng.nextFloat() * 2 - 1) * options.wallSkewMaxMs,
  };
}
