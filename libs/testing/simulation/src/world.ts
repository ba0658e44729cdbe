import { seededPrng, type Prng } from '@ringleader/primitives';
import { EventQueue } from './event-queue.js';
import { Network, type Carry, type NodeId } from './network.js';
import { SimulatedNode, type Program } from './node.js';
import { NodeClock, type ClockSettings } from './node-clock.js';
import { Trace } from './trace.js';

const EXACT_CLOCK: ClockSettings = { rate: 1, monotonicStartMs: 1_000, wallSkewMs: 0 };

export interface WorldOptions<Message> {
  readonly seed: number;
  /** How many of the last events a failure report shows; 0 keeps none, which is faster. */
  readonly traceCapacity?: number;
  /** Left out, receivers get the object that was sent. */
  readonly carry?: Carry<Message>;
}

/** Everything of one run: time, network, nodes. All randomness comes from the seed. */
export class World<Message> {
  readonly events = new EventQueue();
  readonly trace: Trace;
  readonly network: Network<Message>;
  readonly nodes = new Map<NodeId, SimulatedNode<Message>>();
  readonly #prng: Prng;

  constructor(options: WorldOptions<Message>) {
    this.#prng = seededPrng(options.seed);
    this.trace = new Trace(options.traceCapacity ?? 0);
    const deliver = (from: NodeId, to: NodeId, message: Message): void => {
      this.nodes.get(to)?.deliver(from, message);
    };
    this.network = new Network(this.events, this.fork(), this.trace, { deliver, carry: options.carry });
  }

  /** A generator of its own for one part of a run, so that the draws of one part do not move those of another. */
  fork(): Prng {
    return seededPrng(this.#prng.nextUint32());
  }

  addNode(id: NodeId, program: Program<Message>, clock: ClockSettings = EXACT_CLOCK): SimulatedNode<Message> {
    const node = new SimulatedNode<Message>(id, program, {
      events: this.events,
      trace: this.trace,
      clock: new NodeClock(this.events, clock),
      prng: this.fork(),
      network: () => this.network,
    });
    this.nodes.set(id, node);
    return node;
  }

  node(id: NodeId): SimulatedNode<Message> {
    const node = this.nodes.get(id);
    if (node === undefined) throw new RangeError(`no node ${String(id)}`);
    return node;
  }
}
