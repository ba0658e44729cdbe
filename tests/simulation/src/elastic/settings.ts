/** What a run of a cluster that changes its shape looks like, beside what every run of the Paxos core has. */
import type { Changes, ClusterState, Limits, PartitionReport, PlannerRules } from '@ringleader/placement';
import type { FaultKind } from '@ringleader/testing-simulation';
import type { RunSettings } from '../paxos/settings.js';

export interface ElasticSettings {
  /** With no faults and no changes of epochs of its own: they are drawn while it runs. */
  readonly base: RunSettings;
  /** Of the machines in turn. */
  readonly zones: readonly string[];
  readonly limits: Limits;
  readonly machinesMax: number;
  readonly faultKinds: readonly FaultKind[];
  readonly faultDurationMaxMs: number;
  /** Mean times between what happens; 0 is never. */
  readonly every: Readonly<Record<Happening, number>>;
  /** Of one control message. */
  readonly controlLoss: number;
  /** Every so many control messages one is late, by up to so many milliseconds. */
  readonly controlTail: { readonly oneIn: number; readonly ms: number };
  /** Simulated time within which every plan has to end once all is well. */
  readonly planMs: number;
}

export type Happening =
  | 'fault'
  /** Crashes of one machine or two, some for long. */
  | 'kill'
  /** A machine comes back with an older copy of its database, or with none. */
  | 'lostDatabase'
  /** A machine is not reached by coordinators and detectors, and does not reach them. */
  | 'cutFromCoordinators'
  /** Another leader of the coordinators. */
  | 'leaderChange'
  | 'wrongVerdict'
  /** People. */
  | 'join'
  | 'drain'
  | 'undrain'
  | 'remove'
  | 'weight'
  | 'pause'
  | 'cancel'
  | 'limits';

/** What a control breaks around the loop; its own rules stand in `rules`. */
export interface BrokenShape {
  readonly plannerRules?: Partial<PlannerRules>;
  /** What the loop is shown in place of the state. */
  readonly seen?: (state: ClusterState) => ClusterState;
  /** The same of what operators ask. */
  readonly commandsSee?: (state: ClusterState) => ClusterState;
  /** What the loop hears in place of what a shard's leaders say. */
  readonly heard?: (report: PartitionReport) => PartitionReport;
  /** OldReportSettles: that a leader was ready once counts for later epochs of the partition. */
  readonly remembersReady?: boolean;
  /** What is written in place of what was decided. */
  readonly written?: (changes: Changes) => Changes;
  /** StepsUnconditional: a transaction is done whatever the store holds by now. */
  readonly unconditional?: boolean;
  /** KeepsRows: a shard that is no replica any more keeps the rows. */
  readonly keepsRows?: boolean;
  /** BackupRestored: a shard whose database forgot something goes on under its ordinal. */
  readonly trustsDatabase?: boolean;
}
