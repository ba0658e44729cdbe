import { GOOD_LINK } from '@ringleader/testing-simulation';
import type { Profile } from '../profile.js';
import { WRITERS, type Script } from '../script.js';
import { QUICK } from './leases.js';

/**
 * A leader alone has a delete and, on top of it, a conditional write that nobody else has. The next leader cannot commit
 * its barrier; it is asked for the same conditional write, and dies. Then the first one leads again, with its rows.
 */
const SCRIPT: Script = function* (scene) {
  yield 300;
  const { workload, shards } = scene.cluster;
  for (let round = 1; ; round += 1) {
    const leader = yield* scene.leader();
    const others = scene.others(leader);
    const key = `round${String(round)}/0`;
    workload.ask(workload.put(0, key));
    yield scene.leaseMs;
    const rejoinLeader = scene.separate([leader], others);
    // Both have to go into one batch: the leader sends no second one before the first is acknowledged.
    workload.ask(workload.delete(0, key));
    yield 0.3;
    let answered = false;
    workload.ask(workload.put(0, key, [{ kind: 'ifAbsent' }]), 0, () => {
      answered = true;
    });
    yield 5;
    const hideLeader = scene.separate([leader], [WRITERS]);
    scene.pass((from, _to, message) => {
      return from === leader || message.kind !== 'peer' || message.message.kind !== 'accepts';
    });
    for (let waited = 0; waited < 3 * scene.leaseMs && !answered; waited += 1) yield 1;
    const next = shards.find(
      (shard) => shard !== leader && scene.cluster.status(shard, 0)?.role === 'leader',
    );
    const hideNext = next === undefined ? null : scene.separate([next], [...shards, WRITERS]);
    scene.pass(null);
    rejoinLeader();
    hideLeader();
    yield scene.leaseMs * 3;
    hideNext?.();
    yield scene.leaseMs * 2;
  }
};

export const UNPROVEN_BARRIER: Profile = {
  name: 'unproven-barrier',
  about: 'a leader whose barrier is not committed is asked for what another one wrote, and dies',
  settings: () => ({
    ...QUICK,
    cluster: { ...QUICK.cluster, turnMs: 2 },
    links: { ...GOOD_LINK, delayMinMs: 0.1, delayMaxMs: 0.2 },
    workload: { ...QUICK.workload, clients: 0 },
    gateway: { ...QUICK.gateway, operationTimeoutMs: 1_000 },
    faultyMs: 6_000,
  }),
  script: SCRIPT,
};
