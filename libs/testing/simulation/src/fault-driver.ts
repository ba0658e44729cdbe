/** Carries a fault plan out. Every fault ends: what comes after the last one is the time to check liveness in. */
import type { EventQueue } from './event-queue.js';
import type { FaultPlan, PlannedFault } from './fault-plan.js';
import type { NodeId } from './network.js';
import type { StorageLatency } from './simulated-log.js';
import type { World } from './world.js';

export interface FaultDriverOptions {
  /** The plan's usual latency at the start and after each `slowStorage`. */
  readonly setStorageLatency: (node: NodeId, latency: StorageLatency) => void;
}

/** What a fault ends in. */
export type UsualState = Pick<FaultPlan, 'links' | 'storage'>;

export function scheduleFaults<Message>(
  world: World<Message>,
  plan: FaultPlan,
  options: FaultDriverOptions,
): void {
  world.network.setQuality(plan.links);
  for (const id of plan.clocks.keys()) options.setStorageLatency(id, plan.storage);
  for (const planned of plan.faults) scheduleFault(world, plan, options, planned);
}

/** For those who draw their faults while the world changes its shape. */
export function scheduleFault<Message>(
  world: World<Message>,
  plan: UsualState,
  options: FaultDriverOptions,
  planned: PlannedFault,
): void {
  const events: EventQueue = world.events;
  events.at(planned.startsAtMs, () => {
    world.trace.add(events.now, 'fault', planned.fault, `for ${planned.durationMs.toFixed(1)} ms`);
    const end = beginFault(world, plan, options, planned);
    events.after(planned.durationMs, () => {
      world.trace.add(events.now, 'fault ended', planned.fault.kind);
      end();
    });
  });
}

/** Returns what ends it. */
function beginFault<Message>(
  world: World<Message>,
  plan: UsualState,
  options: FaultDriverOptions,
  { fault }: PlannedFault,
): () => void {
  switch (fault.kind) {
    case 'crash':
      for (const id of fault.nodes) world.node(id).crash();
      return () => {
        for (const id of fault.nodes) world.node(id).start();
      };
    case 'pause':
    case 'suspend': {
      const node = world.node(fault.node);
      node.pause();
      if (fault.kind === 'suspend') node.clock.suspend();
      return () => {
        if (fault.kind === 'suspend') node.clock.resume();
        node.resume();
      };
    }
    case 'partition':
      return setCuts(world, [...pairs(fault.side, fault.others), ...pairs(fault.others, fault.side)]);
    case 'oneWay':
      return setCuts(world, pairs(fault.from, fault.to));
    case 'badLinks':
      world.network.setQuality(fault.quality);
      return () => {
        world.network.setQuality(plan.links);
      };
    case 'slowStorage':
      options.setStorageLatency(fault.node, fault.latency);
      return () => {
        options.setStorageLatency(fault.node, plan.storage);
      };
    case 'stepWallClock':
      world.node(fault.node).clock.stepWallClock(fault.byMs);
      return () => undefined;
    default:
      return unreachableFault(fault);
  }
}

function unreachableFault(fault: never): never {
  throw new RangeError(`unknown fault ${JSON.stringify(fault)}`);
}

function pairs(from: readonly NodeId[], to: readonly NodeId[]): [NodeId, NodeId][] {
  return from.flatMap((a) => to.map((b): [NodeId, NodeId] => [a, b]));
}

function setCuts<Message>(world: World<Message>, cuts: readonly [NodeId, NodeId][]): () => void {
  for (const [from, to] of cuts) world.network.cut(from, to);
  return () => {
    for (const [from, to] of cuts) world.network.heal(from, to);
  };
}
