/** Replicas tell others which keyed writes they remember: before those have the writes, late, or of what never was chosen. */
import type { ShardOrdinal } from '@ringleader/primitives';
import type { ShardMessage } from '@ringleader/paxos';
import type { Profile } from '../profile.js';
import type { Scene, Script } from '../script.js';
import type { SimMessage } from '../sim-messages.js';
import { answer, forgottenByRow, keyed, READING, WRITING } from './repeats.js';
import { done, SCRIPTED, until } from './scripted.js';

const CARRIES_ROWS: ReadonlySet<ShardMessage['kind']> = new Set(['accepts', 'delta', 'page', 'finish']);

/** Of a memory with a mark, or of any where none is named. */
function isMemory(message: SimMessage, requestId?: string): boolean {
  if (message.kind !== 'peer' || message.message.kind !== 'remembered') return false;
  return requestId === undefined || message.message.marks.some(({ id }) => id === requestId);
}

/** Takes over from a leader that crashes, without being told anything; what it gives back starts that one again. */
function* takeOver(scene: Scene, leader: ShardOrdinal, next: ShardOrdinal): Generator<number, () => void> {
  scene.pass((from, _to, message) => {
    if (message.kind !== 'peer') return true;
    return !isMemory(message) && (message.message.kind !== 'prepare' || from === next);
  });
  const node = scene.cluster.world.node(leader);
  node.crash();
  while (scene.cluster.leaderOf(0) !== next) yield 2;
  return () => {
    node.start();
  };
}

/**
 * What the leader decides reaches nobody any more, but for what it remembers, which it tells a replica that has just
 * started; at once, or when that one leads and another write has the revision.
 */
function* neverChosen(scene: Scene, key: string, isLate: boolean): Generator<number, void> {
  const { workload, world } = scene.cluster;
  const leader = yield* scene.leader();
  const next = scene.others(leader)[0] as ShardOrdinal;
  const write = keyed(workload.put(0, key));
  const client = workload.repeating(write);
  let told: SimMessage | null = null;
  scene.pass((from, to, message) => {
    if (from !== leader || message.kind !== 'peer') return true;
    if (to === next && isMemory(message, write.requestId)) {
      told = message;
      return !isLate;
    }
    return !CARRIES_ROWS.has(message.message.kind) && !isMemory(message);
  });
  client.ask(WRITING, () => undefined);
  yield 4;
  scene.restart(next);
  if (!(yield* until(() => told !== null, scene.leaseMs * 6))) return;
  yield 2;
  const startAgain = yield* takeOver(scene, leader, next);
  yield* done(scene, [workload.put(0, `${key} other`)]);
  if (isLate && told !== null) {
    scene.pass(null);
    world.network.send(leader, next, told);
    yield 2;
  }
  client.conclude(yield* answer(client, READING));
  yield 1;
  yield* done(scene, [{ kind: 'read', partition: 0, key, maxStalenessMs: 'linearizable' }]);
  startAgain();
}

/** What the leader told a replica arrives when that has started again, and does not have what passed in between. */
function* withHole(scene: Scene, key: string): Generator<number, void> {
  const { network } = scene.cluster.world;
  const leader = yield* scene.leader();
  const next = scene.others(leader)[0] as ShardOrdinal;
  let told: SimMessage | null = null;
  scene.pass((from, to, message) => {
    if (!isMemory(message)) return true;
    if (from === leader && to === next) told ??= message;
    return false;
  });
  scene.restart(next);
  if (!(yield* until(() => told !== null, scene.leaseMs * 6)) || told === null) return;
  const client = yield* forgottenByRow(scene, key);
  scene.restart(next);
  yield scene.leaseMs * 2;
  scene.pass(null);
  network.send(leader, next, told);
  yield 2;
  const startAgain = yield* takeOver(scene, leader, next);
  client.conclude(yield* answer(client, READING));
  startAgain();
}

const SCRIPT: Script = function* (scene) {
  yield 300;
  for (let round = 0; ; round += 1) {
    const key = `r${String(round)}`;
    const choice = scene.prng.nextBelow(3);
    if (choice === 0) yield* withHole(scene, key);
    else yield* neverChosen(scene, key, choice === 1);
    scene.pass(null);
    yield scene.leaseMs;
  }
};

export const TOLD_MEMORIES: Profile = {
  name: 'told-memories',
  about:
    'what replicas tell of the keyed writes they remember arrives early, late, or is of writes that never were',
  settings: () => ({
    ...SCRIPTED,
    gateway: { ...SCRIPTED.gateway, operationTimeoutMs: 250 },
    lastReads: false,
  }),
  script: SCRIPT,
};
