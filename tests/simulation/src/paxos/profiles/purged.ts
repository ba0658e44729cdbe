/** What was purged is asked for again, and what must not be purged yet: scripts after the shortest traces of the model. */
import { isKeyed, KEYED_ID_PREFIX } from '@ringleader/paxos';
import type { ShardOrdinal } from '@ringleader/primitives';
import type { ClientRequest } from '../gateway.js';
import type { Profile } from '../profile.js';
import { lead, READERS, WRITERS, type Scene, type Script } from '../script.js';
import { done, purgingSoon, SCRIPTED, until } from './scripted.js';

type Write = Extract<ClientRequest, { kind: 'write' }>;

/** Gateways by number. */
const [WRITING, READING] = [0, 1];

/** Under a client's own key, or not. */
function putAs(scene: Scene, key: string, wantsKey: boolean): Write {
  for (;;) {
    const request = scene.cluster.workload.put(0, key);
    if (request.kind !== 'write') throw new RangeError('no write');
    const { requestId } = request;
    if (wantsKey)
      return isKeyed(requestId) ? request : { ...request, requestId: `${KEYED_ID_PREFIX}${requestId}` };
    if (!isKeyed(requestId)) return request;
  }
}

/**
 * A write is carried out, its client does not hear of it, somebody deletes the key, and the tombstone is purged everywhere.
 * Then the write is tried again, at a leader whose cache has nothing of the key.
 */
const WRITES_SCRIPT: Script = function* (scene) {
  yield 300;
  const { workload, shards, world } = scene.cluster;
  for (let round = 0; ; round += 1) {
    const key = `r${String(round)}`;
    const next = scene.others(yield* scene.leader())[0] as ShardOrdinal;
    const purged = scene.purgedTo(next);
    for (const shard of shards) world.network.cut(shard, WRITERS);
    let isAnswered = false;
    workload.ask(putAs(scene, key, scene.prng.nextBelow(2) === 0), WRITING, () => {
      isAnswered = true;
    });
    yield scene.leaseMs / 2;
    // No attempt may arrive after the purge but those at the next leader.
    const hide = scene.separate([WRITERS], shards);
    yield* done(scene, [workload.delete(0, key)]);
    yield* until(() => shards.every((shard) => scene.purgedTo(shard) > purged), 20 * scene.leaseMs);
    yield* lead(scene, next);
    hide();
    for (const shard of shards) world.network.heal(shard, WRITERS);
    yield* until(() => isAnswered, 10 * scene.leaseMs);
    yield* done(scene, [{ kind: 'read', partition: 0, key, maxStalenessMs: 'linearizable' }]);
    yield scene.leaseMs;
  }
};

export const PURGED_WRITES: Profile = {
  name: 'purged-writes',
  about: 'a write is tried again when the tombstone on top of it has been purged',
  settings: () => ({ ...SCRIPTED, cluster: purgingSoon(SCRIPTED.cluster), lastReads: false }),
  script: WRITES_SCRIPT,
};

/**
 * A leader is cut off, for longer than it waits for the others; a key is deleted there that the others keep. It is restarted
 * before it hears of them again.
 */
const UNCOMMITTED_SCRIPT: Script = function* (scene) {
  yield 300;
  const { workload } = scene.cluster;
  for (let round = 0; ; round += 1) {
    const key = `r${String(round)}`;
    const leader = yield* scene.leader();
    yield* done(scene, [workload.put(0, key)]);
    yield scene.leaseMs;
    const rejoin = scene.separate([leader, READERS], [...scene.others(leader), WRITERS]);
    // Given up before the others could carry it out.
    workload.ask(workload.delete(0, key), READING);
    yield scene.leaseMs * 2.5;
    for (let count = 0; count < 3; count += 1) {
      let isWritten = false;
      workload.ask(workload.put(0, 'other'), WRITING, () => {
        isWritten = true;
      });
      yield* until(() => isWritten);
    }
    scene.restart(leader);
    rejoin();
    yield scene.leaseMs * 4;
  }
};

export const PURGED_EARLY: Profile = {
  name: 'purged-early',
  about: 'a key is deleted at a leader that is cut off from the others for longer than it waits for them',
  settings: () => {
    const cluster = purgingSoon(SCRIPTED.cluster);
    const { timings } = cluster;
    return {
      ...SCRIPTED,
      cluster: {
        ...cluster,
        timings: { ...timings, purgeAfterMs: timings.leaseMs, purgeRestMs: timings.leaseMs / 8 },
      },
      gateway: { ...SCRIPTED.gateway, operationTimeoutMs: 2 * timings.leaseMs },
      faultyMs: 3_000,
    };
  },
  script: UNCOMMITTED_SCRIPT,
};
