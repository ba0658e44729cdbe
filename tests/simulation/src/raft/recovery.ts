/** After the last fault: within bounded simulated time a write goes through, and all members have the same state. */
import { allMembers, type Configuration, idsOf, isVoter, type Seated } from '@ringleader/raft';
import { SimulationFailure } from '@ringleader/testing-simulation';
import type { Group } from './group.js';
import type { MemberProcess } from './member-process.js';

const pollMs = 20;

export function checkRecovery(group: Group): void {
  const { events } = group.world;
  const deadline = events.now + group.settings.recoveryMs;
  let isProven = false;
  const probe = (attempt: number): void => {
    const candidates = seatsOfGroup(group);
    const member = candidates[attempt % candidates.length] as number;
    group.clients.ask(member, { op: 'append', key: 'probe', value: `${String(attempt)} ` }, (answer) => {
      if (answer?.kind === 'appended') isProven = true;
      // An answer that refuses may come at once: time must pass between two attempts.
      else
        events.after(pollMs, () => {
          probe(attempt + 1);
        });
    });
  };
  probe(0);
  for (;;) {
    events.runUntil(events.now + pollMs);
    const missing = isProven ? firstDifference(group) : 'a write';
    if (missing === null) return;
    if (events.now >= deadline) {
      const waited = String(group.settings.recoveryMs);
      throw new SimulationFailure(
        'liveness',
        `${waited} ms after the last fault still waiting for ${missing}`,
      );
    }
  }
}

function leaderOf(group: Group): MemberProcess | null {
  const seat = group.leader();
  return seat === null ? null : group.process(seat);
}

/** Of its members, while somebody leads it; else all. */
function seatsOfGroup(group: Group): readonly number[] {
  const leader = leaderOf(group);
  if (leader === null) return group.members;
  const ids = new Set(idsOf(allMembers(leader.core.configuration)));
  return group.members.filter((seat) => ids.has(group.idAt(seat)));
}

function firstDifference(group: Group): string | null {
  const leader = leaderOf(group);
  if (leader === null) return 'a leader';
  const { configuration, isJoint } = leader.core.status();
  if (isJoint) return 'the joint configuration to be left';
  for (const seat of seatsOfGroup(group)) {
    const process = group.process(seat);
    const applied = process?.core.status().appliedIndex ?? 0;
    if (process === null || applied < group.judge.appliedUpTo) return `member ${String(seat)} to catch up`;
    group.judge.stateAt(seat, applied, process.store);
  }
  const { store } = leader.store;
  if (store.listLeases().length > 0) return 'leases to run out, which nobody keeps alive';
  for (const all of [group.watchers, group.followers]) {
    all.goOnlyTo(seatsOfGroup(group));
    if (!all.haveSeen(store.revision)) return 'watchers to see all';
  }
  return firstUndead(group, configuration);
}

/** A removed member that takes itself for a voter asks those whom it knows for votes: of others it never hears. */
function firstUndead(group: Group, configuration: Configuration): string | null {
  const canTell = ({ id }: Seated): boolean => isVoter(configuration, id) && group.judge.diskOf(id) !== null;
  for (const { core } of group.processes()) {
    const { id } = core.status();
    const { voters, outgoing } = core.configuration;
    const isWaiting = configuration.removed.includes(id) && isVoter(core.configuration, id);
    if (isWaiting && [...voters, ...outgoing].some(canTell))
      return `member ${String(id)} to end, which is removed`;
  }
  return null;
}
