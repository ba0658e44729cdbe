export interface DetectorSettings {
  /** What intervals are expected to be before any was seen. */
  readonly heartbeatIntervalMs: number;
  /** How many intervals are remembered per member. */
  readonly windowSize: number;
  /** A suspicion begins at this phi, if probes do not refute it. */
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
  readonly probing: ProbeSettings;
  readonly damping: DampingSettings;
  /** Its trust in itself comes back by one point in this time. */
  readonly healthRecoveryMs: number;
  /** 0 <= distrust <= distrustMax. */
  readonly distrustMax: number;
  /** The detector is ticked this often; a gap longer than this and the tolerance is its own fault. */
  readonly tickMs: number;
  readonly tickToleranceMs: number;
}

export interface ProbeSettings {
  /**
   * A member is probed from this phi on, which one missed heartbeat reaches: so early that the first ping is answered before
   * a pause that begins later, and the second one after it, by the time that the member would be a suspect.
   */
  readonly phi: number;
  /** How many other members are asked to probe it, besides the detector itself. */
  readonly probers: number;
  /** Of a round: who has not answered by then is silent. */
  readonly roundMs: number;
  /** So long an answer refutes, whatever phi says: two rounds that follow it may be lost. */
  readonly answerCountsMs: number;
  /** A member that is down is asked this often whether it is back. */
  readonly downIntervalMs: number;
}

/** As in RFC 2439 (BGP route flap damping): each return of a suspect is a penalty of 1, which decays. */
export interface DampingSettings {
  /** From this penalty on a member that comes back stays a suspect, */
  readonly holdAt: number;
  /** until the penalty has decayed to this, */
  readonly releaseAt: number;
  readonly halfLifeMs: number;
  /** or so much time has passed without another return. */
  readonly holdMaxMs: number;
}

/** Suspicion in some 0.9 s after the last of heartbeats that come every 250 ms, down 1.5 to 4 s later. */
export const DETECTOR_DEFAULTS: DetectorSettings = {
  heartbeatIntervalMs: 250,
  windowSize: 200,
  phiThreshold: 8,
  deviationMinMs: 100,
  acceptablePauseMs: 100,
  firstHeartbeatGraceMs: 3_000,
  suspicionMinMs: 1_500,
  suspicionMaxMs: 4_000,
  forgetUnlistedAfterMs: 60_000,
  probing: { phi: 0.5, probers: 3, roundMs: 250, answerCountsMs: 750, downIntervalMs: 2_000 },
  damping: { holdAt: 3, releaseAt: 1, halfLifeMs: 15_000, holdMaxMs: 60_000 },
  healthRecoveryMs: 1_000,
  distrustMax: 7,
  tickMs: 50,
  tickToleranceMs: 150,
};
