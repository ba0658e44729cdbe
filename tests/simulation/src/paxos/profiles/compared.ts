/** Replicas are held against each other all the time (docs/PROTOCOL.md 4.13): nothing may be found. */
import type { VerificationPace } from '@ringleader/paxos';
import { RANDOM, type Profile } from '../profile.js';
import { isPurgeWord, type Script } from '../script.js';
import type { RunSettings } from '../settings.js';
import { PURGES } from './purges.js';

const ALL_THE_TIME: VerificationPace = { intervalMs: 20, bytesPerSecond: 1_000_000 };

const compared = (settings: RunSettings): RunSettings => ({
  ...settings,
  cluster: { ...settings.cluster, verification: ALL_THE_TIME },
});

/** Does nothing but in the control that wants it. */
const FLIPS: Script = function* (scene) {
  const { cluster } = scene;
  if (cluster.broken.flipsRows !== true) return;
  for (;;) {
    yield scene.between(100, 400);
    const leader = yield* scene.leader();
    const shard = scene.prng.nextBelow(2) === 0 ? leader : (scene.others(leader)[0] ?? leader);
    const database = cluster.database(shard);
    const rows = [...database.liveRows(0).values()].filter(({ value }) => value !== null);
    const row = rows[scene.prng.nextBelow(Math.max(1, rows.length))];
    const generation = database.records.get(0)?.generation;
    if (row === undefined || generation === undefined) continue;
    const flipped = { ...row, value: Uint8Array.from([...(row.value ?? []), 1]) };
    database.apply({
      id: 0,
      records: [],
      upserts: [{ partition: 0, generation, row: flipped }],
      removals: [],
    });
  }
};

export const COMPARED: Profile = {
  name: 'compared',
  about: 'everything at random, while leaders compare their replicas all the time',
  settings: (prng) => compared(RANDOM.settings(prng)),
  script: FLIPS,
};

/** One replica does not hear for a while how far to purge. */
const DEAF: Script = function* (scene) {
  for (;;) {
    const leader = yield* scene.leader();
    const [deaf] = scene.others(leader);
    scene.pass((from, to, message) => to !== deaf || !isPurgeWord(from, message));
    yield scene.between(100, 300);
    scene.pass(null);
    yield scene.between(20, 100);
    if (scene.prng.nextBelow(4) === 0) scene.restart(leader);
  }
};

export const COMPARED_PURGES: Profile = {
  name: 'compared-purges',
  about: 'replicas are compared while tombstones are purged at some of them and not yet at others',
  settings: (prng) => compared(PURGES.settings(prng)),
  script: DEAF,
};
