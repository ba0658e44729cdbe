import { makeBallot, ownerOf, roundOf, type ShardMessage } from '@ringleader/paxos';
import type { ShardOrdinal } from '@ringleader/primitives';
import type { Profile } from '../profile.js';
import type { Scene, Script } from '../script.js';
import { QUICK } from './leases.js';

function say(scene: Scene, from: ShardOrdinal, to: ShardOrdinal, message: ShardMessage): void {
  scene.cluster.processes.get(to)?.receive(from, { kind: 'peer', message, hybridTime: 0 });
}

function* written(scene: Scene, keys: readonly string[]): Generator<number, void> {
  const { workload } = scene.cluster;
  for (const key of keys) {
    let answered = false;
    workload.ask(workload.put(0, key), 0, () => {
      answered = true;
    });
    while (!answered) yield 2;
  }
}

/** A barrier at a ballot of the speaker, who does not stand at it: from then on the other one protects him. */
function believeIn(scene: Scene, from: ShardOrdinal, to: ShardOrdinal, above: number): void {
  const { position, commit = 0, epoch = 0 } = scene.cluster.status(to, 0) ?? {};
  if (position === undefined) return;
  const ballot = makeBallot(roundOf(position.ballot) + above, from);
  const next = { ballot, revision: position.revision };
  const batches = [{ partition: 0, epoch, ballot, previous: position, next, rows: [], commit }];
  say(scene, from, to, { kind: 'accepts', incarnation: 1, number: 2 ** 40, lease: { sentAt: 0 }, batches });
}

/** All three follow one who does not lead. */
function believeInACircle(scene: Scene, leader: ShardOrdinal): void {
  const [one, two] = scene.others(leader);
  if (one === undefined || two === undefined) return;
  believeIn(scene, two, one, 2);
  believeIn(scene, leader, two, 3);
  believeIn(scene, one, leader, 4);
}

/** A copy that nobody needs, and that can never be finished. */
function demandCopy(scene: Scene, leader: ShardOrdinal): void {
  const [one] = scene.others(leader);
  const { ballot = 0, epoch = 0, commit = 0 } = scene.cluster.status(leader, 0) ?? {};
  if (one === undefined || ownerOf(ballot) !== leader) return;
  const header = { partition: 0, epoch, ballot, commit, purgedTo: 0 };
  say(scene, leader, one, { kind: 'repairOffer', ...header });
  say(scene, leader, one, { kind: 'copyRequired', ...header });
}

/** A replica lacks what was committed without it, and is said to have it. */
function* acknowledgeForAnother(scene: Scene, leader: ShardOrdinal, key: string): Generator<number, void> {
  const { cluster } = scene;
  const [one] = scene.others(leader);
  if (one === undefined) return;
  scene.pass((from, to, { kind, ...rest }) => {
    if (kind !== 'peer' || from !== leader || to !== one) return true;
    return 'message' in rest && rest.message.kind !== 'accepts' && rest.message.kind !== 'repairOffer';
  });
  yield* written(scene, [key]);
  const { ballot = 0, epoch = 0, commit: revision = 0 } = cluster.status(leader, 0) ?? {};
  const lease = { incarnation: 1, span: 1, sentAt: Number.MIN_SAFE_INTEGER };
  say(scene, one, leader, { kind: 'accepted', partition: 0, epoch, ballot, revision, lease });
  scene.pass(null);
}

/**
 * Somebody says wrong things within his reach, none about rows or commit points (docs/PROTOCOL.md 4.12.6), and then nothing
 * but the truth is said. Nobody writes meanwhile: what would come to light with the next write has to do so without.
 */
const SCRIPT: Script = function* (scene) {
  yield 300;
  for (let round = 0; ; round += 1) {
    const leader = yield* scene.leader();
    yield* written(scene, [`a${String(round)}`, `b${String(round)}`]);
    yield scene.leaseMs;
    switch (scene.prng.nextBelow(3)) {
      case 0:
        believeInACircle(scene, leader);
        break;
      case 1:
        demandCopy(scene, leader);
        break;
      default:
        yield* acknowledgeForAnother(scene, leader, `c${String(round)}`);
    }
    yield scene.leaseMs * 4;
  }
};

export const WRONG_PEERS: Profile = {
  name: 'wrong-peers',
  about:
    'wrong things are said once, within reach of who says them: believed ballots, copies, acknowledgements',
  settings: () => ({
    ...QUICK,
    workload: { ...QUICK.workload, clients: 0 },
    gateway: { ...QUICK.gateway, operationTimeoutMs: 5_000 },
    faultyMs: 3_000,
  }),
  script: SCRIPT,
};
