/** What makes the load, whoever does: `load/main.go` (asked through `go-load.ts`), or this process (`node-load.ts`). */
import type { LoopResult, Phase } from './loop.js';
import type { Workload } from './settings.js';

/** The protocol by which a target is asked. */
export type Protocol = 'rest' | 'etcd' | 'zookeeper';

/** What the target is to be asked, by which clients. `load/main.go` reads the same fields. */
export interface LoadOrder {
  readonly kind: Protocol;
  readonly endpoints: readonly string[];
  readonly workload: Workload;
  readonly clients: number;
  readonly valueBytes: number;
  readonly keyPrefix: string;
  readonly keys: number;
  readonly batchSize: number;
  readonly warmUpMs: number;
  readonly durationMs: number;
  /** Requests a second; 0: a closed loop. */
  readonly rate: number;
  readonly seed: number;
}

export interface Load {
  /** For the report: in what it is written, and by which clients it asks. */
  readonly description: string;
  /** Whether it can ask a target of this protocol so. */
  can(kind: Protocol, workload: Workload): boolean;
  /** Writes every key of the order once. */
  fill(order: LoadOrder): Promise<void>;
  /** What is freed of earlier writes only when it is asked for. */
  rest(order: LoadOrder): Promise<void>;
  /** `onPhase` is told what CPU time the load itself has taken by then. */
  run(order: LoadOrder, onPhase: (phase: Phase, loadCpuMs: number) => void): Promise<LoopResult>;
}

/** CPU time of this process so far: of the load, where the load is made here. */
export function ownCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
