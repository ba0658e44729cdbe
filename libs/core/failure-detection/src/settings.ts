export interface DetectorSettings {
  /** What intervals are expected to be before any was seen. */
  readonly heartbeatIntervalMs: number;
  /** How many intervals are remembered per member. */
  readonly windowSize: number;
  /** A suspicion begins at this phi. */
  readonly phiThreshold: number;
  /** Floor on the deviation: very regular heartbeats would otherwise make a few milliseconds suspicious. */
  readonly deviationMinMs: number;
  /** A pause that is accepted on top of the mean: garbage collection, a slow disk. */
  readonly acceptablePauseMs: number;
  /** How long a member that is expected may take to its first heartbeat. */
  readonly firstHeartbeatGraceMs: number;
  /** A suspect is held to be down after this long, sooner the more detectors agree (see suspicion.ts). */
  readonly suspicionMinMs: number;
  readonly suspicionMaxMs: number;
  /** A member that nobody registered is forgotten when it has been silent for so long. */
  readonly forgetUnlistedAfterMs: number;
  /** Its trust in itself comes back by one point in this time. */
  readonly healthRecoveryMs: number;
  /** The detector is ticked this often; a gap longer than this and the tolerance is its own fault. */
  readonly tickMs: number;
  readonly tickToleranceMs: number;
}

/** Suspicion in some 0.9 s after the last of heartbeats that come every 250 ms, down 2 to 5 s later. */
export const DETECTOR_DEFAULTS: DetectorSettings = {
  heartbeatIntervalMs: 250,
  windowSize: 200,
  phiThreshold: 8,
  deviationMinMs: 100,
  acceptablePauseMs: 0,
  firstHeartbeatGraceMs: 3_000,
  suspicionMinMs: 2_000,
  suspicionMaxMs: 5_000,
  forgetUnlistedAfterMs: 60_000,
  healthRecoveryMs: 1_000,
  tickMs: 100,
  tickToleranceMs: 150,
};
