/** Who is not sure to be the leader writes nothing. */
import type { Election } from './election.js';
import type { KubeApi } from './kube-api.js';
import { KubeError } from './kube-error.js';
import type { OwnLease } from './lease-clock.js';

export const NOT_LEADER = 'NotLeader';

/** The API server, as the operator may use it. */
export abstract class Kubernetes {
  /** Writes only while this process is sure to be the leader. */
  abstract readonly api: KubeApi;
  abstract readonly election: Election;
}

/** A process that was stopped and goes on finds its lease run out by its own clock, before it has heard of it. */
export function fenceOf(own: OwnLease): () => void {
  return () => {
    if (!own.isValid(performance.now()))
      throw new KubeError(0, NOT_LEADER, 'Nothing is written: the lease was not renewed in time');
  };
}
