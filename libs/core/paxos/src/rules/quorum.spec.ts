import { describe, expect, it } from '@jest/globals';
import { seededPrng } from '@ringleader/primitives';
import type { PartitionAssignment } from '../ready.js';
import { hasQuorum, isVoter, membersOf, quorumRevision } from './quorum.js';

function assignment(
  replicas: number[],
  nextReplicas: number[] | null = null,
  learners: number[] = [],
): PartitionAssignment {
  return { partition: 0, epoch: 1, replicas, nextReplicas, learners, preferredLeader: replicas[0] ?? 0 };
}

const among =
  (...ordinals: number[]) =>
  (ordinal: number): boolean =>
    ordinals.includes(ordinal);

describe('quorum', () => {
  it('is a majority of the replicas', () => {
    expect(hasQuorum(assignment([1, 2, 3]), among(1))).toBe(false);
    expect(hasQuorum(assignment([1, 2, 3]), among(1, 3))).toBe(true);
    expect(hasQuorum(assignment([1, 2, 3, 4]), among(1, 3))).toBe(false);
    expect(hasQuorum(assignment([1]), among(1))).toBe(true);
  });

  it('is a majority of both sets in a joint epoch', () => {
    const joint = assignment([1, 2, 3], [2, 3, 4]);
    expect(hasQuorum(joint, among(1, 2))).toBe(false);
    expect(hasQuorum(joint, among(3, 4))).toBe(false);
    expect(hasQuorum(joint, among(2, 3))).toBe(true);
    expect(hasQuorum(joint, among(1, 2, 4))).toBe(true);
  });

  it('never counts learners', () => {
    const learning = assignment([1, 2, 3], null, [4]);
    expect(isVoter(learning, 4)).toBe(false);
    expect(membersOf(learning)).toEqual([1, 2, 3, 4]);
    expect(hasQuorum(learning, among(1, 4))).toBe(false);
  });

  it('agrees, for revisions, with the obvious search', () => {
    const prng = seededPrng(5);
    for (let round = 0; round < 500; round += 1) {
      const joint = assignment([1, 2, 3], prng.nextBelow(2) === 0 ? null : [2, 3, 4, 5]);
      const revisions = new Map([1, 2, 3, 4, 5].map((ordinal) => [ordinal, prng.nextBelow(6) - 1]));
      const acknowledged = (ordinal: number): number => revisions.get(ordinal) ?? -1;
      let obvious = -1;
      for (let revision = 0; revision < 6; revision += 1) {
        if (hasQuorum(joint, (ordinal) => acknowledged(ordinal) >= revision)) obvious = revision;
      }
      expect(quorumRevision(joint, acknowledged)).toBe(obvious);
    }
  });
});
