/** After the last fault: within bounded simulated time a write goes through, and all members have the same state. */
import { SimulationFailure } from '@ringleader/testing-simulation';
import type { Group } from './group.js';

const pollMs = 20;

export function checkRecovery(group: Group): void {
  const { events } = group.world;
  const deadline = events.now + group.settings.recoveryMs;
  let isProven = false;
  const probe = (attempt: number): void => {
    const member = group.members[attempt % group.members.length] as number;
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

function firstDifference(group: Group): string | null {
  if (group.leader() === null) return 'a leader';
  for (const member of group.members) {
    if (group.lost.has(member)) continue;
    const process = group.process(member);
    const applied = process?.core.status().appliedIndex ?? 0;
    if (process === null || applied < group.judge.appliedUpTo) return `member ${String(member)} to catch up`;
    group.judge.stateAt(member, applied, process.store);
  }
  return null;
}
