import { randomBytes } from 'node:crypto';
import { type LogEntry, openLogStorage, type RecoveredLog } from '@ringleader/log-storage';
import { invariant, type MemberId, seededPrng } from '@ringleader/primitives';
import { type Entry, entryKinds, raftConfig, RaftMember } from '@ringleader/raft';
import type { RaftNodeEvent } from './raft-node-events.js';
import type { RaftNode } from './raft-node.js';
import { defaultRaftSettings, type RaftSettings } from './raft-settings.js';
import { RaftShell } from './raft-shell.js';
import type { RaftTransport } from './raft-transport.js';
import type { StateMachine } from './state-machine.js';

export interface RaftNodeOptions<Result> {
  readonly memberId: MemberId;
  readonly members: readonly MemberId[];
  /** Of this member alone. */
  readonly directory: string;
  readonly stateMachine: StateMachine<Result>;
  readonly transport: RaftTransport;
  readonly onEvent: (event: RaftNodeEvent) => void;
  readonly settings?: Partial<RaftSettings>;
}

/** Reads the log, restores the state machine, and takes part in the group. Throws what the log throws (LOG_CORRUPT, LOG_IN_USE). */
export async function startRaftNode<Result>(options: RaftNodeOptions<Result>): Promise<RaftNode<Result>> {
  const { memberId, members, stateMachine, onEvent, transport } = options;
  const settings = { ...defaultRaftSettings, ...options.settings };
  const { storage, recovered } = await openLogStorage({ directory: options.directory });
  for (const repair of recovered.repairs) onEvent({ kind: 'tornTailRepaired', repair });
  const snapshot = await storage.readSnapshot();
  if (snapshot !== null) stateMachine.restore(snapshot.chunks, snapshot.index);
  const random = seededPrng(randomBytes(4).readUInt32LE());
  const config = raftConfig(
    { id: memberId, members, random },
    { timings: settings.timings, limits: settings.limits },
  );
  const member = new RaftMember(config, { ...recovered, entries: coreEntries(recovered) });
  const nowMs = (): number => performance.now();
  return new RaftShell({ member, storage, recovered, transport, stateMachine, settings, nowMs, onEvent });
}

function coreEntries({ entries }: RecoveredLog): Entry[] {
  return entries.map(toCoreEntry);
}

function toCoreEntry({ index, term, kind, data }: LogEntry): Entry {
  invariant(
    kind === entryKinds.noop || kind === entryKinds.command,
    'an entry of an unknown kind is in the log',
  );
  return { index, term, kind, data };
}
