/** What `npm start` tells programs of its cluster, in `<data>/cluster.json`, and what it can be asked to do there. */
import type { Service as RingleaderService } from './metadata/cluster-metadata.js';

/** What runs at this moment: replaced whole at every change. */
export interface LocalClusterState {
  readonly formatVersion: 1;
  readonly status: 'starting' | 'healthy' | 'degraded' | 'stopping';
  /** The process that supervises all others. */
  readonly supervisorPid: number;
  readonly startedAt: string;
  /** Of every nats-server, with commas between. */
  readonly natsUrl: string;
  readonly gatewayUrls: readonly string[];
  /** What a caller of a secure cluster needs; null: it is an open one. */
  readonly access: { readonly caFile: string; readonly tokenFile: string } | null;
  /** Where `ringleader local` asks; null while nobody answers there. */
  readonly control: StarterPlace | null;
  readonly processes: readonly LocalProcess[];
}

export interface StarterPlace {
  readonly url: string;
  readonly token: string;
}

export interface LocalProcess {
  readonly service: Exclude<RingleaderService, 'operator'> | 'postgres' | 'nats-server';
  readonly member: string;
  /** Null while the process does not run. */
  readonly pid: number | null;
  /** Tells this process from a later one with the same id. */
  readonly identity: string | null;
  /** Null for what listens on a Unix socket only. */
  readonly port: number | null;
  readonly url: string;
  readonly log: string;
  readonly restarts: number;
  /** What was done to it by `ringleader local`, until it is restarted; null: it is to run. */
  readonly held: 'stopped' | 'killed' | 'paused' | 'cut' | null;
}

export const MEMBER_ACTIONS = ['stop', 'kill', 'pause', 'cut', 'restart'] as const;
export type MemberAction = (typeof MEMBER_ACTIONS)[number];
