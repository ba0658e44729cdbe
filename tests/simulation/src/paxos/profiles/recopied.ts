import { isKeyed } from '@ringleader/paxos';
import type { ShardOrdinal } from '@ringleader/primitives';
import type { ClientRequest } from '../gateway.js';
import type { Profile } from '../profile.js';
import { isPurgeWord, lead, READERS, WRITERS, type Scene, type Script } from '../script.js';
import { done, purgingSoon, REPAIR_ROWS, SCRIPTED, until } from './scripted.js';

/**
 * A copy takes its first page from a leader that has purged a key, and the rest from one that has not. Whoever was copied
 * to leads then: it must know that it lacks what was purged, also towards a replica that still has the key, and that it
 * has forgotten the request that wrote it.
 */
const RECOPIED_SCRIPT: Script = function* (scene) {
  yield 300;
  const { cluster } = scene;
  const { workload } = cluster;
  const leader = yield* scene.leader();
  const [rival, third, copied, late] = scene.others(leader);
  if (rival === undefined || third === undefined || copied === undefined || late === undefined) return;
  const group = [leader, rival, third];
  const put = (key: string): ClientRequest => workload.put(0, key);
  yield* done(scene, [put('a0'), put('a1')]);
  yield scene.leaseMs;
  const copiedComes = scene.separate([copied], [...group, late, READERS, WRITERS]);
  const keys = Array.from({ length: 3 * REPAIR_ROWS }, (_, index) => `b${String(index)}`);
  yield* done(scene, keys.map(put));
  yield scene.leaseMs;
  const lateComes = scene.separate([late], [...group, READERS, WRITERS]);
  // It is carried out, and its client never hears of it.
  let unanswered = put('a2');
  while (isKeyed(unanswered.kind === 'write' ? unanswered.requestId : '')) unanswered = put('a2');
  const deafen = deaf(scene);
  workload.ask(unanswered, 0);
  yield scene.leaseMs / 2;
  yield* done(scene, [workload.delete(0, 'a2'), workload.delete(0, 'a0'), put('c0'), put('c1')]);
  // Nobody else is told of it, and none of them has forgotten what they are to purge when they lead.
  scene.pass((from, _to, message) => from !== leader || !isPurgeWord(from, message));
  yield* until(() => scene.purgedTo(leader) > 0, 20 * scene.leaseMs);
  let pages = 0;
  scene.pass((from, to, message) => {
    if (from === leader && isPurgeWord(from, message)) return false;
    if (from !== leader || to !== copied || message.kind !== 'peer') return true;
    if (message.message.kind === 'page') pages += 1;
    return pages <= 1;
  });
  copiedComes();
  for (let waited = 0; waited < 4 * scene.leaseMs && pages === 0; waited += 1) yield 1;
  yield 5;
  yield* lead(scene, rival);
  const isCopied = (): boolean => cluster.status(copied, 0)?.copying === false;
  for (let waited = 0; waited < 8 * scene.leaseMs && !isCopied(); waited += 1) yield 1;
  yield* lead(scene, copied);
  deafen();
  lateComes();
  yield scene.leaseMs * 8;
};

/** Answers to the first gateway are lost until the returned function is called. */
function deaf(scene: Scene): () => void {
  const { network } = scene.cluster.world;
  const { shards } = scene.cluster;
  for (const shard of shards) network.cut(shard, WRITERS);
  return () => {
    for (const shard of shards) network.heal(shard, WRITERS);
  };
}

export const RECOPIED: Profile = {
  name: 'recopied',
  about: 'a copy from a leader that has purged, and from one that has not; then its receiver leads',
  settings: () => ({
    ...SCRIPTED,
    cluster: { ...purgingSoon(SCRIPTED.cluster), shards: 5, replicationFactor: 5 },
  }),
  script: RECOPIED_SCRIPT,
};

/**
 * A leader that is cut off writes on, as many revisions as the others need to delete a key and to purge that. When it comes
 * back its revision is past their purge point, and what it knows to be committed is not.
 */
const PURGED_AHEAD_SCRIPT: Script = function* (scene) {
  yield 300;
  const { cluster } = scene;
  const { workload } = cluster;
  for (let round = 0; ; round += 1) {
    const former = yield* scene.leader();
    const others = scene.others(former);
    const key = (name: string): string => `${name}${String(round)}`;
    yield* done(scene, [workload.put(0, key('gone')), workload.put(0, key('kept'))]);
    yield scene.leaseMs;
    const purged = Math.max(...others.map((shard) => scene.purgedTo(shard)));
    const rejoin = scene.separate([former, WRITERS], [...others, READERS]);
    for (let count = 0; count < REPAIR_ROWS; count += 1)
      workload.ask(workload.put(0, key(`own${String(count)}`)));
    const isLed = (): boolean => others.some((shard) => cluster.status(shard, 0)?.serving === true);
    for (let waited = 0; waited < 6 * scene.leaseMs && !isLed(); waited += 1) yield 1;
    yield* done(scene, [workload.delete(0, key('gone')), workload.put(0, key('kept'))]);
    yield scene.leaseMs / 2;
    yield* until(() => others.every((shard) => scene.purgedTo(shard) > purged), scene.leaseMs * 10);
    for (let waited = 0; waited < 6 * scene.leaseMs && !isLed(); waited += 1) yield 1;
    rejoin();
    yield scene.leaseMs * 4;
  }
};

export const PURGED_AHEAD: Profile = {
  name: 'purged-ahead',
  about: 'a leader that was cut off comes back with rows of its own past the purge point of the others',
  settings: () => ({ ...SCRIPTED, cluster: purgingSoon(SCRIPTED.cluster), faultyMs: 3_000 }),
  script: PURGED_AHEAD_SCRIPT,
};

/**
 * A leader is cut off, and does not know that the others write on. A replica that is far behind is copied to by their leader
 * first, which has a later row of the last key, then by the deposed one, and by their leader to the end: its finish leaves out
 * what was committed when the copy began.
 */
const DEPOSED_SCRIPT: Script = function* (scene) {
  yield 300;
  const { cluster } = scene;
  const { workload } = cluster;
  for (let round = 0; ; round += 1) {
    const former = yield* scene.leader();
    const [behind, deposed, ...others] = scene.others(former);
    if (behind === undefined || deposed === undefined) return;
    const majority = [former, ...others];
    const meet = new Map([deposed, ...majority].map((shard) => [shard, scene.separate([shard], [behind])]));
    const keys = Array.from(
      { length: 3 * REPAIR_ROWS },
      (_, index) => `k${String(round)}/${String(index + 10)}`,
    );
    yield* done(
      scene,
      keys.map((key) => workload.put(0, key)),
    );
    // Of a new ballot, so that batches alone do not bring forward who is behind.
    yield* lead(scene, deposed);
    const rejoin = scene.separate([deposed], [...majority, READERS, WRITERS]);
    const successor = (): ShardOrdinal | undefined =>
      majority.find((shard) => cluster.status(shard, 0)?.serving === true);
    yield* until(() => successor() !== undefined, scene.leaseMs * 3);
    yield* done(scene, [workload.put(0, keys.at(-1) as string)]);
    const leader = successor();
    if (leader !== undefined) {
      yield* copiedByBoth(scene, { behind, leader, deposed }, (shard) => {
        meet.get(shard)?.();
        meet.delete(shard);
      });
    }
    rejoin();
    for (const heal of meet.values()) heal();
    yield scene.leaseMs * 4;
  }
};

interface Sources {
  readonly behind: ShardOrdinal;
  readonly leader: ShardOrdinal;
  readonly deposed: ShardOrdinal;
}

/** One page from the leader, the other ones from the deposed, and the rest from the leader again. */
function* copiedByBoth(
  scene: Scene,
  { behind, leader, deposed }: Sources,
  meet: (shard: ShardOrdinal) => void,
): Generator<number, void> {
  const staged = (): string | null | undefined =>
    scene.cluster.database(behind).records.get(0)?.staging?.nextKey;
  let pages = 0;
  scene.pass((from, to, message) => {
    if (from !== leader || to !== behind || message.kind !== 'peer') return true;
    if (message.message.kind === 'page') pages += 1;
    return pages === 0 || (pages === 1 && message.message.kind === 'page');
  });
  meet(leader);
  yield* until(() => (staged() ?? '') !== '', scene.leaseMs);
  // Within a lease of its start it does not stand itself.
  scene.restart(behind);
  scene.pass((from, to, message) => {
    const pair = [from, to];
    return !pair.includes(behind) || pair.includes(deposed) || message.kind !== 'peer';
  });
  meet(deposed);
  yield* until(() => staged() === null, scene.leaseMs * 2);
  const leave = scene.separate([deposed], [behind]);
  scene.pass(null);
  yield scene.leaseMs;
  leave();
}

export const DEPOSED_COPY: Profile = {
  name: 'deposed-copy',
  about: 'a replica is copied to by a deposed leader and by the present one',
  settings: () => ({
    ...SCRIPTED,
    cluster: { ...SCRIPTED.cluster, shards: 5, replicationFactor: 5 },
    faultyMs: 2_000,
  }),
  script: DEPOSED_SCRIPT,
};
