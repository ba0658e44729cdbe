/**
 * In which order Jest begins with the files of a suite: those that take longest come first, so that at the end no worker has a long
 * one before it while the other has nothing to do. Jest itself goes by what each took the last time, which a fresh clone does not
 * know, and then by the size of the file, which says nothing of a simulation. So the long ones are named here; the rest goes by size.
 */
import { statSync } from 'node:fs';

const LONGEST = [
  'elastic/random.sim-spec.ts',
  'paxos/controls.sim-spec.ts',
  'paxos/steered.sim-spec.ts',
  'raft/random.sim-spec.ts',
  'detection/detection.sim-spec.ts',
  'starter.e2e-spec.ts',
  'running-cluster.e2e-spec.ts',
  'one-nats-server.fault-spec.ts',
  'three-nats-servers.fault-spec.ts',
];

const placeOf = (path) => {
  const place = LONGEST.findIndex((name) => path.endsWith(`/${name}`));
  return place < 0 ? LONGEST.length : place;
};

/** Scenarios on Kubernetes are one story on one cluster, in the order of their names. */
const isScenario = ({ path }) => path.endsWith('.k8s-spec.ts');

export default class LongestFirst {
  sort(tests) {
    if (tests.every(isScenario)) return [...tests].sort((a, b) => (a.path < b.path ? -1 : 1));
    const sizes = new Map(tests.map(({ path }) => [path, statSync(path).size]));
    return [...tests].sort(
      (a, b) => placeOf(a.path) - placeOf(b.path) || sizes.get(b.path) - sizes.get(a.path),
    );
  }

  /** Nothing is remembered: the order is the same on every machine. */
  cacheResults() {}
}
