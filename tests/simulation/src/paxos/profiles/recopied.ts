import { GOOD_LINK } from '@ringleader/testing-simulation';
import { isKeyed } from '@ringleader/paxos';
import type { ShardOrdinal } from '@ringleader/primitives';
import type { ClientRequest } from '../gateway.js';
import type { Profile } from '../profile.js';
import type { RunSettings } from '../settings.js';
import { READERS, WRITERS, type Scene, type Script } from '../script.js';
import { LIMITS } from '../settings.js';
import { QUICK } from './leases.js';

const READING_GATEWAY = 1;
const REPAIR_ROWS = 8;

/** What scripts ask for; nobody else writes. */
const SCRIPTED: RunSettings = {
  ...QUICK,
  cluster: { ...QUICK.cluster, limits: { ...LIMITS, repairRowsMax: REPAIR_ROWS } },
  gateway: { ...QUICK.gateway, operationTimeoutMs: 5_000 },
  workload: { ...QUICK.workload, clients: 1, keysPerPartition: 1, thinkMsMax: 50, mixes: [{ staleRead: 1 }] },
  links: { ...GOOD_LINK, delayMinMs: 0.1, delayMaxMs: 0.5 },
  faultyMs: 6_000,
};

/** Asks through the gateway that readers use, and waits for the answer. */
function* done(scene: Scene, requests: readonly ClientRequest[]): Generator<number, void> {
  for (const request of requests) {
    let answered = false;
    scene.cluster.workload.ask(request, READING_GATEWAY, () => {
      answered = true;
    });
    while (!answered) yield 2;
  }
}

/** Nobody else may stand until that shard leads; whoever leads meanwhile is restarted. */
function* lead(scene: Scene, shard: ShardOrdinal, group: readonly ShardOrdinal[]): Generator<number, void> {
  scene.pass((from, _to, message) => {
    return message.kind !== 'peer' || message.message.kind !== 'prepare' || from === shard;
  });
  for (const other of group) {
    if (other !== shard && scene.cluster.status(other, 0)?.role === 'leader') scene.restart(other);
  }
  while (scene.cluster.leaderOf(0) !== shard) yield 2;
  scene.pass(null);
}

/**
 * A copy takes its first page from a leader that has purged a key, and the rest from one that has not. Whoever was copied
 * to leads then: it must know that it lacks what was purged, also towards a replica that still has the key, and that it
 * has forgotten the request that wrote it.
 */
const RECOPIED_SCRIPT: Script = function* (scene) {
  yield 300;
  const { cluster } = scene;
  const { workload, shards } = cluster;
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
  scene.purge(leader);
  yield* lead(scene, leader, group);
  let pages = 0;
  scene.pass((from, to, message) => {
    if (from !== leader || to !== copied || message.kind !== 'peer') return true;
    if (message.message.kind === 'page') pages += 1;
    return pages <= 1;
  });
  copiedComes();
  for (let waited = 0; waited < 4 * scene.leaseMs && pages === 0; waited += 1) yield 1;
  yield 5;
  yield* lead(scene, rival, group);
  const isCopied = (): boolean => cluster.status(copied, 0)?.copying === false;
  for (let waited = 0; waited < 8 * scene.leaseMs && !isCopied(); waited += 1) yield 1;
  yield* lead(scene, copied, shards);
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
  settings: () => ({ ...SCRIPTED, cluster: { ...SCRIPTED.cluster, shards: 5, replicationFactor: 5 } }),
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
    const rejoin = scene.separate([former, WRITERS], [...others, READERS]);
    for (let count = 0; count < REPAIR_ROWS; count += 1)
      workload.ask(workload.put(0, key(`own${String(count)}`)));
    const isLed = (): boolean => others.some((shard) => cluster.status(shard, 0)?.serving === true);
    for (let waited = 0; waited < 6 * scene.leaseMs && !isLed(); waited += 1) yield 1;
    yield* done(scene, [workload.delete(0, key('gone')), workload.put(0, key('kept'))]);
    yield scene.leaseMs / 2;
    for (const shard of others) {
      scene.purge(shard);
      yield scene.leaseMs * 1.5;
    }
    for (let waited = 0; waited < 6 * scene.leaseMs && !isLed(); waited += 1) yield 1;
    rejoin();
    yield scene.leaseMs * 4;
  }
};

export const PURGED_AHEAD: Profile = {
  name: 'purged-ahead',
  about: 'a leader that was cut off comes back with rows of its own past the purge point of the others',
  settings: () => SCRIPTED,
  script: PURGED_AHEAD_SCRIPT,
};
