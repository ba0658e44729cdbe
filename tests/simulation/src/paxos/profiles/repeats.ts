/** Clients that do not hear an answer and repeat a keyed write elsewhere: scripts after the shortest traces of the model. */
import { isKeyed, KEYED_ID_PREFIX } from '@ringleader/paxos';
import { HYBRID_UNITS_PER_MS, type ShardOrdinal } from '@ringleader/primitives';
import type { NodeId } from '@ringleader/testing-simulation';
import type { ClientRequest, Outcome } from '../gateway.js';
import type { Profile } from '../profile.js';
import { lead, READERS, WRITERS, type Scene, type Script } from '../script.js';
import { LIMITS } from '../settings.js';
import type { SimMessage } from '../sim-messages.js';
import type { RepeatingClient } from '../workload.js';
import { ask, done, SCRIPTED, until } from './scripted.js';

type Write = Extract<ClientRequest, { kind: 'write' }>;
type Attempt = Extract<SimMessage, { kind: 'request' }>;
type WriteAttempt = Attempt & { readonly body: Extract<Attempt['body'], { kind: 'write' }> };

function isWriteAttempt(message: SimMessage): message is WriteAttempt {
  return message.kind === 'request' && message.body.kind === 'write';
}

/** Gateways by number. */
export const [WRITING, READING] = [0, 1];

/** Under a key of the client's own, whatever its number. */
export function keyed(request: ClientRequest): Write {
  if (request.kind !== 'write') throw new RangeError('no write');
  const { requestId } = request;
  return isKeyed(requestId) ? request : { ...request, requestId: `${KEYED_ID_PREFIX}${requestId}` };
}

function ifThere(scene: Scene, key: string): Write {
  return keyed(scene.cluster.workload.put(0, key, [{ kind: 'ifPresent' }]));
}

export function* answer(client: RepeatingClient, gateway: number): Generator<number, Outcome> {
  let answered: Outcome | null = null;
  client.ask(gateway, (outcome) => {
    answered = outcome;
  });
  yield* until(() => answered !== null);
  return answered ?? { kind: 'unknown' };
}

/** Refused; then what it wants holds at the next leader, which carries it out: the first gateway knows of the refusal only. */
function* askedInTurn(scene: Scene, key: string): Generator<number, void> {
  const { workload } = scene.cluster;
  const leader = yield* scene.leader();
  const client = workload.repeating(ifThere(scene, key));
  yield* answer(client, WRITING);
  yield* lead(scene, scene.others(leader)[0] as ShardOrdinal);
  yield* done(scene, [workload.put(0, key)]);
  yield* answer(client, READING);
  client.conclude(yield* answer(client, WRITING));
}

/** The first gateway reaches nobody until its time is up. The second one is told that it failed; then it would not. */
function* askedBeside(scene: Scene, key: string): Generator<number, void> {
  const { workload, shards } = scene.cluster;
  const leader = yield* scene.leader();
  const client = workload.repeating(ifThere(scene, key));
  const hideGateway = scene.separate([WRITERS], shards);
  yield* answer(client, WRITING);
  client.conclude(yield* answer(client, READING));
  yield* lead(scene, scene.others(leader)[0] as ShardOrdinal);
  yield* done(scene, [workload.put(0, key)]);
  hideGateway();
  yield scene.leaseMs;
}

/** Refused by a leader that is deposed then, and carried out by the next one; the second gateway knows the first leader only. */
function* askedOfBoth(scene: Scene, key: string): Generator<number, void> {
  const { workload } = scene.cluster;
  const leader = yield* scene.leader();
  const others = scene.others(leader);
  const client = workload.repeating(ifThere(scene, key));
  yield* answer(client, READING);
  const rejoin = scene.separate([leader, READERS], [...others, WRITERS]);
  const isLed = (): boolean => others.some((shard) => scene.cluster.status(shard, 0)?.serving === true);
  yield* until(isLed, scene.leaseMs * 3);
  let isPut = false;
  workload.ask(workload.put(0, key), WRITING, () => {
    isPut = true;
  });
  yield* until(() => isPut);
  yield* answer(client, WRITING);
  client.conclude(yield* answer(client, READING));
  rejoin();
  yield scene.leaseMs;
}

const ELSEWHERE_SCRIPT: Script = function* (scene) {
  yield 300;
  for (let round = 0; ; round += 1) {
    yield* scene.leader();
    const key = `r${String(round)}`;
    const scenarios = [askedInTurn, askedBeside, askedOfBoth];
    const scenario = scenarios[scene.prng.nextBelow(scenarios.length)] as typeof askedInTurn;
    yield* scenario(scene, key);
    yield* done(scene, [{ kind: 'read', partition: 0, key, maxStalenessMs: 'linearizable' }]);
    yield scene.leaseMs;
  }
};

export const ASKED_ELSEWHERE: Profile = {
  name: 'asked-elsewhere',
  about: 'conditional writes repeated through another gateway, after a refusal that the client did not hear',
  settings: () => ({
    ...SCRIPTED,
    gateway: { ...SCRIPTED.gateway, operationTimeoutMs: 250 },
    lastReads: false,
  }),
  script: ELSEWHERE_SCRIPT,
};

/** More than a leader remembers. */
const FAILURES = 1_030;
const AT_ONCE = 40;
const AHEAD_MS = 350;

/**
 * The first attempt is late. The next one is refused, and so are many others, until the leader has forgotten that. What the
 * first one wants holds when it arrives, by the clock of a gateway that is ahead.
 */
const FORGOTTEN_SCRIPT: Script = function* (scene) {
  yield 300;
  const { workload, world } = scene.cluster;
  const request = ifThere(scene, 'a');
  const client = workload.repeating(request);
  let isFirst = true;
  const late = captured(scene, (_from, requestId) => {
    const isIt = isFirst && requestId === request.requestId;
    if (isIt) isFirst = false;
    return isIt;
  });
  client.conclude(yield* answer(client, WRITING));
  scene.pass(null);
  for (let asked = 0; asked < FAILURES; asked += AT_ONCE) {
    const answers = Array.from({ length: AT_ONCE }, () => ask(scene, ifThere(scene, `z${String(asked)}`)));
    yield* until(() => answers.every((isAnswered) => isAnswered()));
  }
  yield* done(scene, [workload.put(0, 'a')]);
  const message = late();
  if (message === null) return;
  const origin = message.body.origin + AHEAD_MS * HYBRID_UNITS_PER_MS;
  const ahead = { ...message, body: { ...message.body, origin } };
  world.network.send(WRITERS, yield* scene.leader(), ahead);
  yield scene.leaseMs;
  yield* done(scene, [{ kind: 'read', partition: 0, key: 'a', maxStalenessMs: 'linearizable' }]);
};

export const FORGOTTEN_FAILURES: Profile = {
  name: 'forgotten-failures',
  about: 'an attempt arrives after the leader has forgotten that it refused another one of the same write',
  settings: () => ({
    ...SCRIPTED,
    workload: { ...SCRIPTED.workload, clients: 0 },
    faultyMs: 2_000,
    lastReads: false,
  }),
  script: FORGOTTEN_SCRIPT,
};

/** A row tells how many writes there were. */
const LOOK = { kind: 'read', partition: 0, key: 'a', maxStalenessMs: 'linearizable' } as const;

/**
 * A keyed write and four others of its key wait for one batch: together their last row would remember the others only. The
 * leader dies before it has answered, and the write is tried again.
 */
const HIDDEN_SCRIPT: Script = function* (scene) {
  yield 300;
  const { workload, shards, stores, world } = scene.cluster;
  for (;;) {
    const leader = yield* scene.leader();
    const next = scene.others(leader)[0] as ShardOrdinal;
    yield* done(scene, [workload.put(0, 'a')]);
    for (const shard of shards) stores.get(shard)?.setLatency({ minMs: 8, maxMs: 10 });
    ask(scene, workload.put(0, 'b'));
    yield 1.5;
    // Its gateway hears nothing from now on.
    const deafen = shards.filter((shard) => shard !== next).map((shard) => cutAnswers(scene, shard));
    let isWritten = false;
    workload.ask(keyed(workload.put(0, 'a')), WRITING, () => {
      isWritten = true;
    });
    yield 1;
    const others = Array.from({ length: 4 }, () => ask(scene, workload.put(0, 'a')));
    yield* until(() => others.every((isAnswered) => isAnswered()));
    yield* done(scene, [LOOK]);
    for (const shard of shards) stores.get(shard)?.setLatency({ minMs: 0.05, maxMs: 0.3 });
    world.node(leader).crash();
    yield* lead(scene, next);
    for (const hear of deafen) hear();
    world.node(leader).start();
    yield* until(() => isWritten, scene.leaseMs * 5);
    yield* done(scene, [LOOK]);
    yield scene.leaseMs;
  }
};

function cutAnswers(scene: Scene, shard: ShardOrdinal): () => void {
  const { network } = scene.cluster.world;
  network.cut(shard, WRITERS);
  return () => {
    network.heal(shard, WRITERS);
  };
}

export const HIDDEN_WRITE: Profile = {
  name: 'hidden-write',
  about: 'five writes of one key wait for one batch, and the first of them is tried again at the next leader',
  settings: () => ({
    ...SCRIPTED,
    // Room for all of them.
    cluster: { ...SCRIPTED.cluster, limits: { ...LIMITS, repairRowsMax: 40 } },
    readLatency: { minMs: 0.05, maxMs: 0.3 },
    faultyMs: 3_000,
    lastReads: false,
  }),
  script: HIDDEN_SCRIPT,
};

/** A write that its row has forgotten, and its client is about to repeat. */
export function* forgottenByRow(scene: Scene, key: string): Generator<number, RepeatingClient> {
  const { workload } = scene.cluster;
  const put = (): ClientRequest => workload.put(0, key);
  yield* done(scene, [put()]);
  const client = workload.repeating(keyed(put()));
  yield* answer(client, WRITING);
  yield* done(scene, [put(), put(), put(), put()]);
  return client;
}

/** Who leads then was there when it passed, but has been restarted since. */
function* repeatedAtRestarted(scene: Scene, key: string): Generator<number, void> {
  const next = scene.others(yield* scene.leader())[0] as ShardOrdinal;
  const client = yield* forgottenByRow(scene, key);
  scene.restart(next);
  yield scene.leaseMs;
  yield* lead(scene, next);
  client.conclude(yield* answer(client, READING));
}

/** The repeat arrives when the leader remembers later ones only: nobody would repeat it any more. */
function* repeatedLate(scene: Scene, key: string): Generator<number, void> {
  const { workload, world, settings } = scene.cluster;
  const { repeatWindowMs, clocksDifferMs } = settings.cluster.timings;
  const client = yield* forgottenByRow(scene, key);
  const late = captured(scene, (from) => from === READERS);
  client.conclude(yield* answer(client, READING));
  scene.pass(null);
  yield repeatWindowMs + 2 * clocksDifferMs;
  const later = [1, 2, 3].map(() => keyed(workload.put(0, 'b')));
  yield* done(scene, later);
  const message = late();
  if (message !== null) world.network.send(READERS, yield* scene.leader(), message);
}

/** Loses the writes that a gateway sends, until something else is passed; gives the first one. */
function captured(
  scene: Scene,
  isMeant: (from: NodeId, request: Write['requestId']) => boolean,
): () => WriteAttempt | null {
  let first: WriteAttempt | null = null;
  scene.pass((from, _to, message) => {
    if (!isWriteAttempt(message) || !isMeant(from, message.body.requestId)) return true;
    first ??= message;
    return false;
  });
  return () => first;
}

const FORGOTTEN_WRITES_SCRIPT: Script = function* (scene) {
  yield 300;
  for (let round = 0; ; round += 1) {
    const isRestart = scene.prng.nextBelow(2) === 0;
    yield* (isRestart ? repeatedAtRestarted : repeatedLate)(scene, `r${String(round)}`);
    yield scene.leaseMs;
  }
};

export const FORGOTTEN_WRITES: Profile = {
  name: 'forgotten-writes',
  about:
    'a keyed write is repeated when its row has forgotten it, and the memory of its leader began or dropped it since',
  settings: () => ({
    ...SCRIPTED,
    gateway: { ...SCRIPTED.gateway, operationTimeoutMs: 250, clocksDifferMs: 300 },
    lastReads: false,
  }),
  script: FORGOTTEN_WRITES_SCRIPT,
};

/**
 * A leader hears no acknowledgement of a write that all have, so the next one, of a client's key, waits. It is deposed, follows the
 * next leader without a repair, and leads again: that write never was.
 */
const UNSENT_SCRIPT: Script = function* (scene) {
  yield 300;
  const { workload, world } = scene.cluster;
  for (;;) {
    const leader = yield* scene.leader();
    const others = scene.others(leader);
    for (const other of others) world.network.cut(other, leader);
    ask(scene, workload.put(0, 'a'));
    yield 4;
    const rejoin = scene.separate([leader, WRITERS], others);
    const client = workload.repeating(keyed(workload.put(0, 'b')));
    client.ask(WRITING, () => undefined);
    const isLed = (): boolean => others.some((shard) => scene.cluster.status(shard, 0)?.serving === true);
    yield* until(isLed, scene.leaseMs * 4);
    yield* done(scene, [workload.put(0, 'a')]);
    for (const other of others) world.network.heal(other, leader);
    rejoin();
    yield scene.leaseMs * 2;
    yield* done(scene, [workload.put(0, 'c')]);
    yield* lead(scene, leader);
    client.conclude(yield* answer(client, READING));
    yield* done(scene, [{ ...LOOK, key: 'b' }]);
  }
};

export const UNSENT_WRITE: Profile = {
  name: 'unsent-write',
  about: 'a write that its leader decided and never sent is repeated when it leads again',
  settings: () => ({
    ...SCRIPTED,
    gateway: { ...SCRIPTED.gateway, operationTimeoutMs: 150 },
    faultyMs: 4_000,
    lastReads: false,
  }),
  script: UNSENT_SCRIPT,
};
