/**
 * Disks that are full, and have room again; whose syncs fail; and crashes in the middle of a snapshot. Often so that what is
 * acknowledged hangs on the very member whose disk fails, because another one is cut off.
 */
import type { MemberId } from '@ringleader/raft';
import type { Scene } from '../script.js';
import type { Profile } from '../profile.js';
import { base } from '../settings.js';

function* fullDisks(scene: Scene, members: readonly MemberId[]): Generator<number, void> {
  const { group, prng } = scene;
  for (const member of members) {
    group.setFull(member, true);
    // Its log finds it so when it makes a segment ahead, or only by what it cannot write.
    if (prng.nextBelow(2) === 0) group.process(member)?.findFull();
  }
  yield scene.between(20, 300);
  for (const member of members) group.setFull(member, false);
}

function* failedSync(scene: Scene, member: MemberId): Generator<number, void> {
  const { group } = scene;
  group.judge.disks.get(member)?.failNextSync();
  yield* scene.until(() => (group.process(member) === null ? true : null), 100);
  yield scene.between(0, 50);
}

function* crashInSnapshot(scene: Scene, member: MemberId): Generator<number, void> {
  const disk = scene.group.judge.disks.get(member);
  const isCaught = yield* scene.until(() => (disk?.isWritingSnapshot === true ? true : null), 200);
  if (isCaught === null) return;
  scene.crash(member);
  yield scene.between(0, 50);
  scene.start(member);
}

function* fail(scene: Scene, victim: MemberId, all: readonly MemberId[]): Generator<number, void> {
  const draw = scene.prng.nextBelow(4);
  if (draw === 0) yield* fullDisks(scene, [victim]);
  else if (draw === 1) yield* fullDisks(scene, all.slice(scene.prng.nextBelow(all.length)));
  else if (draw === 2) yield* failedSync(scene, victim);
  else yield* crashInSnapshot(scene, victim);
}

function* script(scene: Scene): Generator<number, void> {
  for (;;) {
    yield scene.between(20, 200);
    const leader = yield* scene.leader();
    if (leader === null) continue;
    const all = scene.others();
    const [victim = leader, absent] = all;
    const others = all.filter((member) => member !== absent);
    const isCutOff = absent !== undefined && scene.prng.nextBelow(2) === 0;
    const heal = isCutOff ? scene.separate([absent], others) : null;
    yield* fail(scene, victim, all);
    heal?.();
  }
}

export const failingDisks: Profile = {
  name: 'failingDisks',
  about: 'disks are full and have room again, syncs fail, crashes cut snapshots off',
  settings: (prng) => ({
    ...base,
    group: {
      ...base.group,
      snapshotEveryEntries: 5 + prng.nextBelow(20),
      trailingEntries: prng.nextBelow(10),
    },
    clients: { ...base.clients, thinkMsMax: 10, timeoutMs: 100 },
    faults: { kinds: ['crash', 'slowStorage', 'badLinks'], intensity: prng.nextFloat(), durationMaxMs: 200 },
  }),
  script,
};
