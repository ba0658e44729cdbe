/** One run from its seed to its verdict. */
import { InvariantError, seededPrng } from '@ringleader/primitives';
import type { RaftRules } from '@ringleader/raft';
import { SimulationFailure } from '@ringleader/testing-simulation';
import { Group } from './group.js';
import { checkAppends } from './append-check.js';
import type { DataRules } from './data/data-rules.js';
import { checkStore } from './data/check.js';
import type { DiskRules } from './disk-rules.js';
import type { IdentityRules } from './identities.js';
import { checkRecovery } from './recovery.js';
import { runScript } from './script.js';
import type { Profile } from './profile.js';

export interface RunOptions {
  readonly profile: Profile;
  readonly seed: number;
  readonly rules: RaftRules;
  readonly identities: IdentityRules;
  readonly dataRules: DataRules;
  readonly disks: DiskRules;
  readonly traceCapacity: number;
}

export interface RunReport {
  /** Null where every check held. */
  readonly failure: { readonly check: string; readonly message: string } | null;
  readonly trace: readonly string[];
  readonly summary: string;
}

export function runRaft({ profile, seed, ...options }: RunOptions): RunReport {
  const prng = seededPrng(seed);
  const settings = profile.settings(prng);
  const group = new Group(settings, { ...options, seed: prng.nextUint32() });
  const failure = verdictOf(() => {
    runToTheEnd(group, profile, prng.nextUint32());
  });
  return { failure, trace: group.world.trace.lines(), summary: summaryOf(group) };
}

function runToTheEnd(group: Group, profile: Profile, scriptSeed: number): void {
  group.start();
  if (profile.script !== undefined) runScript(profile.script, group, seededPrng(scriptSeed));
  group.world.events.runUntil(group.settings.faultyMs + 1);
  group.healAll();
  group.clients.stop();
  checkRecovery(group);
  checkAppends(group.clients.history());
  checkStore(group);
}

function summaryOf({ judge, clients, world }: Group): string {
  const { answered, unavailable, unknown } = clients.counts;
  return (
    `${String(judge.appliedUpTo)} entries, ${String(judge.membership.changeCount)} configurations in ${String(judge.leaderCount)} terms in ${world.events.now.toFixed(0)} simulated ms; ` +
    `${String(answered)} answered, ${String(unavailable)} unavailable, ${String(unknown)} unknown`
  );
}

/** A broken invariant of the core is a verdict like a failed check; anything else is a defect of the harness. */
function verdictOf(run: () => void): RunReport['failure'] {
  try {
    run();
    return null;
  } catch (error) {
    if (error instanceof SimulationFailure) return { check: error.check, message: error.message };
    if (error instanceof InvariantError) return { check: 'invariant', message: error.stack ?? error.message };
    throw error;
  }
}
