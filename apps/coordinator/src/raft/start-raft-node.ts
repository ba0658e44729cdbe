import { randomBytes } from 'node:crypto';
import type { LogEntry, OpenedLog, RecoveredLog } from '@ringleader/log-storage';
import { invariant, seededPrng } from '@ringleader/primitives';
import { type Entry, entryKinds, raftConfig, RaftMember, type ReadLease, type Seat } from '@ringleader/raft';
import { type Bootstrap, findGroup } from './find-group.js';
import type { RaftNodeEvent } from './raft-events.js';
import {
  type RaftNode,
  type RaftSettings,
  type RaftTransport,
  type StateMachine,
  defaultRaftSettings,
} from './raft-node.js';
import { RaftShell } from './raft-shell.js';
import { Roster } from './roster.js';
import { configurationIn, restoreFrom } from './stored-snapshot.js';

export interface RaftNodeOptions<Result> {
  readonly cluster: string;
  readonly seat: Seat;
  readonly seats: readonly Seat[];
  /** What an empty log is for: a cluster that is new with the other seats, or a group that there is already; null: it is a lost disk. */
  readonly bootstrap: Bootstrap | null;
  /** Where its log is: for people. */
  readonly directory: string;
  /** Of this member alone; closed when the node ends, and when it does not begin. */
  readonly log: OpenedLog;
  readonly stateMachine: StateMachine<Result>;
  readonly transport: RaftTransport;
  readonly onEvent: (event: RaftNodeEvent) => void;
  readonly settings?: Partial<RaftSettings>;
}

/** Finds the group of the log, restores the state machine, and takes part. Throws what the log throws (LOG_*). */
export async function startRaftNode<Result>(options: RaftNodeOptions<Result>): Promise<RaftNode<Result>> {
  try {
    return await join(options, options.log);
  } catch (error) {
    options.transport.close();
    await options.log.storage.close();
    throw error;
  }
}

async function join<Result>(
  options: RaftNodeOptions<Result>,
  { storage, recovered }: OpenedLog,
): Promise<RaftNode<Result>> {
  const { stateMachine, onEvent, transport } = options;
  const settings = { ...defaultRaftSettings, ...options.settings };
  for (const repair of recovered.repairs) onEvent({ kind: 'tornTailRepaired', repair });
  const { id, founders } = await findGroup({ ...options, storage, recovered });
  const snapshot = await storage.openNewestSnapshot();
  if (snapshot !== null) await restoreFrom(snapshot, stateMachine);
  const random = seededPrng(randomBytes(4).readUInt32LE());
  const config = raftConfig(
    { id, random },
    { timings: settings.timings, limits: settings.limits, lease: leaseOf(settings) },
  );
  const base = { point: recovered.snapshot, configuration: configurationIn(snapshot, founders) };
  const { hardState } = recovered;
  const member = new RaftMember(config, { hardState, base, entries: coreEntries(recovered) });
  const nowMs = (): number => performance.now();
  const roster = new Roster(member.configuration);
  const seated = { member, roster, founders, seat: options.seat };
  return new RaftShell({ ...seated, storage, recovered, transport, stateMachine, settings, nowMs, onEvent });
}

function leaseOf({ leaseDriftMax, tickMs }: RaftSettings): ReadLease | null {
  return leaseDriftMax === null ? null : { tickMs, driftMax: leaseDriftMax };
}

const knownKinds = Object.values(entryKinds);

function coreEntries({ entries }: RecoveredLog): Entry[] {
  return entries.map(toCoreEntry);
}

function toCoreEntry({ index, term, kind, data }: LogEntry): Entry {
  const known = knownKinds.find((one) => one === kind);
  invariant(known !== undefined, 'an entry of an unknown kind is in the log');
  return { index, term, kind: known, data };
}
