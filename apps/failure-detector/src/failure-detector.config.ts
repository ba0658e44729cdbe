import { commonConfig, decimal, integer } from '@ringleader/config';
import { HEARTBEAT_INTERVAL_MS } from '@ringleader/contracts';
import { DETECTOR_DEFAULTS } from '@ringleader/failure-detection';
import type { DetectorSettings } from '@ringleader/failure-detection';
import { injectable } from '@ringleader/service-host';
import { z } from 'zod';

/** Two rounds that follow an answer may be lost. */
const ROUNDS_AN_ANSWER_COUNTS = 3;

export const failureDetectorConfigSchema = z
  .object({
    ...commonConfig,
    /** A member is a suspect when its silence is this unlikely: 8 is once in 10^8 heartbeats. */
    RINGLEADER_PHI_THRESHOLD: decimal(1, 100).default(DETECTOR_DEFAULTS.phiThreshold),
    /** Floor on the deviation of intervals. */
    RINGLEADER_DEVIATION_MIN_MS: integer(1, 10_000).default(DETECTOR_DEFAULTS.deviationMinMs),
    /** A pause that is accepted on top of what is usual. */
    RINGLEADER_ACCEPTABLE_PAUSE_MS: integer(0, 60_000).default(DETECTOR_DEFAULTS.acceptablePauseMs),
    /** How long a registered member may take to its first heartbeat. */
    RINGLEADER_FIRST_HEARTBEAT_GRACE_MS: integer(0, 600_000).default(DETECTOR_DEFAULTS.firstHeartbeatGraceMs),
    /** A suspect is held to be down after the first time if all detectors suspect it, after the second if no other does. */
    RINGLEADER_SUSPICION_MIN_MS: integer(0, 600_000).default(DETECTOR_DEFAULTS.suspicionMinMs),
    RINGLEADER_SUSPICION_MAX_MS: integer(0, 600_000).default(DETECTOR_DEFAULTS.suspicionMaxMs),
    /** How many other members are asked to probe one that is doubted. */
    RINGLEADER_PROBERS: integer(0, 16).default(DETECTOR_DEFAULTS.probing.probers),
    /** Who has not answered a probe by then is silent. */
    RINGLEADER_PROBE_ROUND_MS: integer(20, 10_000).default(DETECTOR_DEFAULTS.probing.roundMs),
  })
  .superRefine((config, context) => {
    if (config.RINGLEADER_SUSPICION_MIN_MS > config.RINGLEADER_SUSPICION_MAX_MS) {
      context.addIssue({
        code: 'custom',
        path: ['RINGLEADER_SUSPICION_MIN_MS'],
        message: 'must not be above RINGLEADER_SUSPICION_MAX_MS',
      });
    }
  });

export abstract class FailureDetectorConfig extends injectable<
  Readonly<z.infer<typeof failureDetectorConfigSchema>>
>() {}

export function detectorSettings(config: FailureDetectorConfig): DetectorSettings {
  return {
    ...DETECTOR_DEFAULTS,
    heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS,
    phiThreshold: config.RINGLEADER_PHI_THRESHOLD,
    deviationMinMs: config.RINGLEADER_DEVIATION_MIN_MS,
    acceptablePauseMs: config.RINGLEADER_ACCEPTABLE_PAUSE_MS,
    firstHeartbeatGraceMs: config.RINGLEADER_FIRST_HEARTBEAT_GRACE_MS,
    suspicionMinMs: config.RINGLEADER_SUSPICION_MIN_MS,
    suspicionMaxMs: config.RINGLEADER_SUSPICION_MAX_MS,
    probing: {
      ...DETECTOR_DEFAULTS.probing,
      probers: config.RINGLEADER_PROBERS,
      roundMs: config.RINGLEADER_PROBE_ROUND_MS,
      answerCountsMs: ROUNDS_AN_ANSWER_COUNTS * config.RINGLEADER_PROBE_ROUND_MS,
    },
  };
}
