/**
 * Figure 3.7 of the thesis (figure 8 of the paper), with five members: an entry of an earlier term is on a majority, and yet
 * a member without it can be elected, because its last entry is of a later term.
 */
import type { MemberId } from '@ringleader/primitives';
import { clientsNode } from '../group.js';
import type { Scene } from '../script.js';
import type { Profile } from '../profile.js';
import { base } from '../settings.js';

interface OldEntry {
  readonly index: number;
  readonly term: number;
  /** The two that have it. */
  readonly holders: readonly MemberId[];
}

function* script(scene: Scene): Generator<number, void> {
  const { network } = scene.group.world;
  for (;;) {
    yield* act(scene);
    network.healAll();
    scene.start(...scene.group.members);
    yield scene.between(200, 400);
  }
}

function* act(scene: Scene): Generator<number, void> {
  const old = yield* leaveEntryOnTwo(scene);
  if (old === null) return;
  const rival = yield* electRival(scene, old);
  if (rival === null) return;
  yield* spreadOldEntry(scene, old, rival);
  // Whoever could commit it is gone; the rival's last entry is of a later term than the old one.
  scene.crash(...old.holders);
  scene.start(rival);
  yield scene.between(200, 300);
}

/** (a): the first leader has an entry on one follower beside itself, and dies with it. */
function* leaveEntryOnTwo(scene: Scene): Generator<number, OldEntry | null> {
  const leader = yield* scene.leader();
  if (leader === null) return null;
  const [follower, ...rest] = scene.others(leader);
  if (follower === undefined) return null;
  scene.separate([leader, follower], rest);
  const before = scene.status(leader)?.lastIndex ?? 0;
  const term = scene.status(leader)?.term ?? 0;
  const index = before + 1;
  const isThere = yield* scene.until(
    () => (scene.hasOnDisk(follower, index, term) && scene.hasOnDisk(leader, index, term) ? true : null),
    60,
  );
  scene.crash(leader, follower);
  return isThere === null ? null : { index, term, holders: [leader, follower] };
}

/** (b): another one leads, has an entry of its own term in that place, and dies before anybody else has it. */
function* electRival(scene: Scene, { holders }: OldEntry): Generator<number, MemberId | null> {
  for (const member of scene.group.members) scene.group.world.network.cut(clientsNode, member);
  const rival = yield* scene.leader(holders);
  if (rival === null) return null;
  scene.separate([rival], scene.others(rival));
  const status = scene.status(rival);
  if (status === null) return null;
  yield* scene.until(() => (scene.hasOnDisk(rival, status.termStartIndex, status.term) ? true : null), 20);
  scene.crash(rival);
  return rival;
}

/** (c): one of the holders leads again, and brings the old entry to a majority, but nothing of its own term. */
function* spreadOldEntry(
  scene: Scene,
  { index, term, holders }: OldEntry,
  rival: MemberId,
): Generator<number, void> {
  const { network } = scene.group.world;
  network.healAll();
  for (const member of scene.group.members) network.cut(clientsNode, member);
  scene.start(...holders);
  const others = scene.others(rival, ...holders);
  yield* scene.until(() => {
    const holder = scene.group.leader();
    if (holder === null || !holders.includes(holder)) return null;
    const has = others.filter((member) => scene.hasOnDisk(member, index, term));
    return has.length > 0 ? true : null;
  }, 600);
  // The follower's answer reaches the leader; the entry of its own term is on its way.
  yield scene.between(0.5, 2.5);
}

export const figure8: Profile = {
  name: 'figure8',
  about: "an earlier term's entry on a majority, and a member of a later term without it",
  settings: () => ({
    ...base,
    group: { ...base.group, members: 5, turnMs: 0.05 },
    clients: { ...base.clients, clients: 6, reads: 0, thinkMsMax: 4, timeoutMs: 60 },
    faultyMs: 6_000,
  }),
  script,
};
