/** Floors of repeats that are far ahead of their receiver's clock (docs/PROTOCOL.md 4.12.2): true ones, and a wrong one. */
import type { ShardOrdinal } from '@ringleader/primitives';
import type { Profile } from '../profile.js';
import { lead, READERS, WRITERS, type Scene, type Script } from '../script.js';
import { done, purgingSoon, REPAIR_ROWS, SCRIPTED, until } from './scripted.js';

/** Further than what is heard moves a hybrid clock, and for longer than a run lasts. */
const BEHIND_MS = { min: 12_000, max: 20_000 };
/** A bit of a floor: nine hours. */
const WRONG_BY = 2 ** 35;

/** In one message of the leader that carries rows the floor is a wrong one. */
function garbleOnce(scene: Scene, receiver: ShardOrdinal): void {
  const { events } = scene.cluster.world;
  scene.pass((from, to, { kind, ...rest }) => {
    if (kind !== 'peer' || to !== receiver || !('message' in rest) || !('dedupeFloor' in rest.message)) {
      return true;
    }
    const message = { ...rest.message, dedupeFloor: rest.message.dedupeFloor + WRONG_BY };
    events.after(1, () => {
      scene.cluster.processes.get(receiver)?.receive(from, { kind, message, hybridTime: 0 });
    });
    scene.pass(null);
    return false;
  });
}

/**
 * The preferred leader is away, and its clock is behind when it comes back. Meanwhile the others have purged, what it had
 * seen deleted or not, so that it is repaired or copied to with a floor that is ahead of its clock by as much. Then it leads.
 */
const SCRIPT: Script = function* (scene) {
  yield 300;
  const { cluster } = scene;
  const { workload, world } = cluster;
  const { preferredLeader: behind } = cluster.map.entry(0);
  const others = scene.others(behind);
  const isRepaired = scene.prng.nextBelow(2) === 0;
  const keys = Array.from({ length: isRepaired ? 1 : 3 * REPAIR_ROWS }, (_, index) => `k${String(index)}`);
  const deletions = keys.map((key) => workload.delete(0, key));
  yield* until(() => cluster.leaderOf(0) === behind);
  yield* done(
    scene,
    keys.map((key) => workload.put(0, key)),
  );
  // With the last one it has stored that the deletions are committed.
  if (isRepaired) yield* done(scene, [...deletions, workload.put(0, 'last')]);
  const rejoin = scene.separate([behind], [...others, READERS, WRITERS]);
  world.node(behind).clock.stepWallClock(-scene.between(BEHIND_MS.min, BEHIND_MS.max));
  scene.restart(behind);
  yield* until(() => others.some((shard) => cluster.status(shard, 0)?.serving === true));
  if (!isRepaired) yield* done(scene, deletions);
  yield* until(() => others.every((shard) => scene.purgedTo(shard) > 0));
  // Of a new ballot, so that batches alone do not bring forward who is behind.
  yield* lead(scene, others.find((shard) => cluster.leaderOf(0) !== shard) as ShardOrdinal);
  if (scene.prng.nextBelow(2) === 0) garbleOnce(scene, behind);
  rejoin();
  yield* until(() => cluster.leaderOf(0) === behind);
};

export const LEAPING_FLOORS: Profile = {
  name: 'leaping-floors',
  about: 'the preferred leader comes back with a clock that is behind, once to a floor that is wrong',
  settings: () => ({
    ...SCRIPTED,
    cluster: purgingSoon(SCRIPTED.cluster),
    workload: { ...SCRIPTED.workload, clients: 0 },
    gateway: { ...SCRIPTED.gateway, operationTimeoutMs: 400 },
    lastReads: false,
  }),
  script: SCRIPT,
};
