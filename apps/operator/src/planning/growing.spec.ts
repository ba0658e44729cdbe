/** What people are told of volumes that are not as asked for, and that it is over when what was in the way is. */
import { describe, expect, it } from '@jest/globals';
import type { ConditionType } from '@ringleader/contracts';
import { smallObjects } from '../../test/world/manifests.js';
import { Story } from '../../test/world/story.js';
import { FRESH } from '../../test/world/world.js';
import { decide } from './decide.js';
import type { ClaimSeen, Decision, Observed } from './types.js';

const NAME = 'data-demo-shard-2';

/** A cluster that is as it is described, but for what is said of one volume. */
function lookAt(change: Partial<ClaimSeen>, classes: Partial<Observed> = {}): Observed {
  const story = new Story();
  story.settle();
  const look = story.world.observe(FRESH);
  if (look === null) throw new Error('there is a cluster');
  const claims = look.claims.map((claim) => (claim.name === NAME ? { ...claim, ...change } : claim));
  return { ...look, ...classes, claims };
}
const decided = (change: Partial<ClaimSeen>, classes?: Partial<Observed>): Decision =>
  decide(lookAt(change, classes), smallObjects);
const told = ({ status }: Decision, type: ConditionType): string => {
  const { status: is, reason, message } = status.conditions?.find((one) => one.type === type) ?? {};
  return `${is} ${reason}: ${message}`;
};
const SETTLED = 'False AsExpected: ';

const SMALL = { size: '1Gi' };
const UNBOUND = { isBound: false, phase: 'Pending' };
const FIXED = { fixedClasses: ['standard'] };
const MISSING = { missingClasses: ['standard'] };

describe('a volume that cannot grow', () => {
  it.each<[string, Partial<ClaimSeen>, Partial<Observed>, RegExp]>([
    [
      'since its class lets none',
      {},
      FIXED,
      /class standard lets no volume grow; set its allowVolumeExpansion/,
    ],
    ['since its class is gone', {}, MISSING, /class standard is not there any more.*; make it again/],
    ['since it has no class', { storageClass: '' }, {}, /of no storage class cannot grow; make larger ones/],
  ])('%s stays as it is, and why is told first', (_why, change, classes, why) => {
    const decision = decided({ ...SMALL, ...change }, classes);
    expect(decision.actions).toEqual([]);
    for (const message of [
      told(decision, 'Progressing').replace(/^False /, ''),
      told(decision, 'Degraded').replace(/^True /, ''),
    ]) {
      expect(message).toMatch(/^VolumesCannotGrow: /);
      expect(message).toMatch(why);
      expect(message).toContain(`${NAME} (1Gi)`);
    }
  });

  it('is told before pods that are not there', () => {
    const look = lookAt(SMALL, FIXED);
    const decision = decide({ ...look, pods: [] }, smallObjects);
    expect(told(decision, 'Degraded')).toMatch(/^True VolumesCannotGrow: .*3 pods of shard/);
  });

  it.each(['Pending', 'Lost'])('since nothing is behind it (%s) is waited for', (phase) => {
    const decision = decided({ ...SMALL, phase, isBound: phase === 'Lost' });
    expect(decision.actions).toEqual([]);
    expect(told(decision, 'Progressing')).toMatch(/^True WaitingForVolumes: .*data-demo-shard-2 \(1Gi\)/);
  });

  it('grows as soon as nothing is in the way any more', () => {
    const { actions, status } = decided(SMALL);
    expect(actions).toMatchObject([{ kind: 'growClaim', claim: NAME, size: '10Gi' }]);
    expect(told({ actions, status, lookAgainMs: null }, 'Degraded')).toMatch(SETTLED);
  });
});

describe('a claim that nobody makes a volume for', () => {
  it.each<[string, Partial<ClaimSeen>, Partial<Observed>, RegExp]>([
    ['since its class is not there', {}, MISSING, /class standard is not there; make it, or a volume of it/],
    ['since it has no class', { storageClass: '' }, {}, /make one the default, or a volume for each/],
  ])('%s is told, whether it is to grow or not', (_why, change, classes, why) => {
    for (const size of ['1Gi', '10Gi']) {
      const decision = decided({ ...UNBOUND, ...change, size }, classes);
      expect(decision.actions).toEqual([]);
      expect(told(decision, 'Degraded')).toMatch(/^True StorageClassMissing: .*data-demo-shard-2/);
      expect(told(decision, 'Degraded')).toMatch(why);
      // Others have volumes: nobody is told to delete them.
      expect(told(decision, 'Degraded')).not.toContain('delete');
      expect(told(decision, 'Progressing')).toMatch(size === '1Gi' ? /^True WaitingForVolumes: / : SETTLED);
    }
  });

  it('may be given up with its cluster while no other has a volume', () => {
    const look = lookAt({}, MISSING);
    const claims = look.claims.map((claim) => ({ ...claim, ...UNBOUND }));
    expect(told(decide({ ...look, claims }, smallObjects), 'Degraded')).toContain('or delete the cluster');
  });

  it('is nothing amiss while its class is there', () => {
    expect(told(decided(UNBOUND), 'Degraded')).toMatch(SETTLED);
  });
});

describe('a volume that is larger than asked for', () => {
  it('stays, and that is told and nothing amiss', () => {
    const decision = decided({ size: '20Gi' });
    expect(decision.actions).toEqual([]);
    expect(told(decision, 'Progressing')).toMatch(
      /^False VolumesCannotShrink: .*than the 10Gi that storage.size asks for; raise it.*data-demo-shard-2 \(20Gi\)/,
    );
    expect(told(decision, 'Degraded')).toMatch(SETTLED);
  });

  it.each(['10240Mi', '10Gi'])('is none if it is the same written otherwise: %s', (size) => {
    expect(told(decided({ size }), 'Progressing')).toMatch(SETTLED);
  });
});
