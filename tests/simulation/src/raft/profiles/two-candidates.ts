/**
 * Two candidates of one term, and a voter between them that restarts after it voted: the second candidate's request, which
 * was slow, finds it without the memory of anything but its disk.
 */
import type { MemberId } from '@ringleader/primitives';
import { GOOD_LINK } from '@ringleader/testing-simulation';
import type { Scene } from '../script.js';
import type { Profile } from '../profile.js';
import { base } from '../settings.js';

const slowMs = 40;

function* script(scene: Scene): Generator<number, void> {
  const { network } = scene.group.world;
  for (;;) {
    const voter = yield* scene.leader();
    const [fast, slow] = voter === null ? [] : scene.others(voter);
    if (voter === null || fast === undefined || slow === undefined) continue;
    network.setLinkQuality(slow, voter, { ...GOOD_LINK, delayMinMs: slowMs, delayMaxMs: slowMs + 1 });
    yield* election(scene, voter, fast, slow);
    network.setLinkQuality(slow, voter, null);
    network.healAll();
    yield scene.between(50, 100);
  }
}

function* election(scene: Scene, voter: MemberId, fast: MemberId, slow: MemberId): Generator<number, void> {
  scene.separate([fast], [slow]);
  scene.crash(voter);
  scene.start(voter);
  const isElected = (): true | null => (scene.status(fast)?.role === 'leader' ? true : null);
  if ((yield* scene.until(isElected, 250)) === null) return;
  // It must not hear that its candidate won: who follows a leader votes for nobody else.
  scene.separate([fast], [voter]);
  scene.crash(voter);
  scene.start(voter);
  yield 2 * slowMs;
}

export const twoCandidates: Profile = {
  name: 'twoCandidates',
  about: 'overlapping candidacies of one term, and a voter that restarts in between',
  settings: () => ({
    ...base,
    clients: { ...base.clients, clients: 1, thinkMsMax: 50 },
    faultyMs: 6_000,
  }),
  script,
};
