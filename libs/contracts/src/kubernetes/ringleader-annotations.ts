/** What is asked of the operator beside the description of a cluster: once, for a while, or to let it go on. */

/** Of the cluster, in its metadata: while it is there, the operator changes nothing. */
export const PAUSED_ANNOTATION = 'ringleader.io/paused';
/** A time: images that were chosen before, where the cluster names none, are chosen anew: those of the operator as it is now. */
export const CHOOSE_IMAGES_ANNOTATION = 'ringleader.io/choose-images';
/** The id of the group of coordinators that is to be taken for this cluster's, where another one answers than before. */
export const CLUSTER_ID_ANNOTATION = 'ringleader.io/cluster-id';
export const ROTATE_PREFIX = 'ringleader.io/rotate-';
/** Times: what was made before is made anew, in steps that no client notices. */
export const ROTATE_ANNOTATIONS = {
  rootToken: `${ROTATE_PREFIX}root-token`,
  /** The keys of the services, and the password among the servers. */
  nats: `${ROTATE_PREFIX}nats`,
  certificates: `${ROTATE_PREFIX}certificates`,
  authority: `${ROTATE_PREFIX}authority`,
} as const;
/** Of the namespace: whoever must, may change owned StatefulSets by hand. */
export const BREAK_GLASS_ANNOTATION = 'ringleader.io/break-glass';
