/**
 * What placement and failure detection keep at the coordinator, beside the registrations and the partition map. Only the
 * coordinators' leader writes it (docs/PROTOCOL.md 6), each time on the condition that what it decided on still holds.
 */
import { z } from 'zod';
import { SERVICES, type Service } from './cluster-metadata.js';

const ordinal = z.int().min(1).max(65_535);
const padded = (number: number): string => String(number).padStart(5, '0');

/**
 * One for each ordinal that holds, held or will hold partitions. `joining`: registered, and no partition is placed on it
 * yet. `active`. `draining`: its partitions are moved away, with its help. `drained`: it holds none. `replaced`: it was down
 * for too long, or its database has forgotten something: its partitions are moved away without it, and it never serves again
 * under this ordinal. That a shard is down is said by its verdict.
 */
export const SHARD_STATES = ['joining', 'active', 'draining', 'drained', 'replaced'] as const;
export type ShardState = (typeof SHARD_STATES)[number];
export const SHARD_PLACES_PREFIX = '/ringleader/placement/shards/';
export const shardPlaceKey = (of: number): string => `${SHARD_PLACES_PREFIX}${padded(of)}`;
export const shardPlaceSchema = z.object({
  ordinal,
  shardId: z.string(),
  state: z.enum(SHARD_STATES),
  zone: z.string(),
  /** In force: as the shard registered it, until an operator says otherwise. */
  weight: z.number().positive(),
  /** Whether an operator set the weight: then what the shard registers does not count. */
  weightIsSet: z.boolean(),
  /** Of the state. */
  since: z.iso.datetime(),
});
export type ShardPlace = z.infer<typeof shardPlaceSchema>;

/** What the plan is made by, besides map and places. Every change of membership or by an operator raises `epoch`. */
export const PLACEMENT_CONTROL_KEY = '/ringleader/placement/control';
export const placementLimitsSchema = z.object({
  movesMax: z.int().min(1).max(1_024).describe('Partitions that may change their replicas at once.'),
  bytesPerSecondMax: z
    .int()
    .min(65_536)
    .max(1_000_000_000_000)
    .describe('Bytes of rows that each shard gives away to copies in a second, at most.'),
  replaceAfterMs: z
    .int()
    .min(10_000)
    .max(604_800_000)
    .describe('How long a shard may be down before its partitions get replicas elsewhere.'),
});
export type PlacementLimits = z.infer<typeof placementLimitsSchema>;
export const PLACEMENT_LIMITS_DEFAULT: PlacementLimits = {
  movesMax: 4,
  bytesPerSecondMax: 33_554_432,
  replaceAfterMs: 600_000,
};
export const placementControlSchema = z.object({
  epoch: z.int().min(1),
  /** No move begins, and none that is under way goes on. */
  paused: z.boolean(),
  /** Of a pause that the operator of Kubernetes has made, for a while: a person's has none, and only people end that. */
  pausedBy: z.literal('operator').optional(),
  limits: placementLimitsSchema,
  /** The last recovery that was asked for at an epoch (docs/PROTOCOL.md 6.8): a repeat is known by it. */
  recovery: z
    .object({
      ifEpoch: z.int().min(0),
      /** Names, as they were asked for, in their order. */
      named: z.array(z.string()),
      /** All whose replicas the partitions have lost that it is about. */
      lost: z.array(z.int().min(1).max(65_535)),
    })
    .optional(),
});
export type PlacementControl = z.infer<typeof placementControlSchema>;

/** For how many milliseconds something had been so when a leader wrote that down last (`sight`): a new one counts on from there. */
export const PLACEMENT_ELAPSED_KEY = '/ringleader/placement/elapsed';
export const placementElapsedSchema = z.record(z.string(), z.number().min(0));

/** A partition whose replicas are being exchanged: there from `learn` to `settle` or `abandon`. */
export const MOVES_PREFIX = '/ringleader/placement/moves/';
export const moveKey = (partition: number): string => `${MOVES_PREFIX}${padded(partition)}`;
export const moveSchema = z.object({
  partition: z.int().min(0).max(16_383),
  /** Null only where the replication factor falls. */
  add: ordinal.nullable(),
  /** Null only where the replication factor rises. */
  remove: ordinal.nullable(),
  startedAt: z.iso.datetime(),
  /** It is to go back, by an operator's word or since it cannot end. */
  isAbandoned: z.boolean(),
});
export type Move = z.infer<typeof moveSchema>;

/** What most failure detectors say, for each member that they ever doubted; who is not among them is alive. */
export const VERDICTS_PREFIX = '/ringleader/verdicts/';
export const verdictKey = (service: Service, id: string): string => `${VERDICTS_PREFIX}${service}/${id}`;
export const probeSchema = z.object({
  by: z.string().describe('The member that was asked to probe.'),
  outcome: z
    .enum(['answered', 'silent', 'mute', 'notAsked'])
    .describe(
      '`mute`: it was asked, and did not say what came of it. `notAsked`: the suspect knows no probes.',
    ),
});
export const voteSchema = z.object({
  detector: z.string(),
  verdict: z.enum(['alive', 'suspect', 'down']),
  phi: z.number().min(0),
  missedBeats: z.int().min(0),
  silentMs: z.number().min(0).nullable().describe('Null when it was never heard.'),
  probes: z.array(probeSchema),
  incarnation: z
    .int()
    .min(1)
    .nullable()
    .optional()
    .describe('Under which it is judged; null of one that has none.'),
  held: z.boolean().optional().describe('It beats, but came back from suspicion too often lately.'),
});
export type Vote = z.infer<typeof voteSchema>;
export const verdictRecordSchema = z.object({
  service: z.enum(SERVICES),
  id: z.string(),
  /** Of the process that was judged; null when none was ever heard. */
  instance: z.string().nullable(),
  verdict: z.enum(['alive', 'suspect', 'down']),
  since: z.iso.datetime(),
  /** The votes that made the verdict. */
  votes: z.array(voteSchema),
});
export type VerdictRecord = z.infer<typeof verdictRecordSchema>;

/** What should never happen, and did. The newest hundred are kept. */
export const INCIDENTS_PREFIX = '/ringleader/incidents/';
export const INCIDENT_KINDS = [
  'REPLICA_DIFFERED',
  'PAGE_UNREADABLE',
  'DATABASE_FORGOT',
  'MAJORITY_LOST',
] as const;
export const incidentSchema = z
  .object({
    id: z.string(),
    at: z.iso.datetime(),
    kind: z.string().describe(`${INCIDENT_KINDS.join(', ')}, or what a later version knows.`),
    shard: z.string(),
    ordinal,
    partition: z.int().min(0).max(16_383).nullable(),
    keys: z.array(z.string()).describe('Some of the keys that it is about, at most ten.'),
    detail: z.string(),
    mended: z.boolean(),
  })
  .meta({ id: 'Incident' });
export type Incident = z.infer<typeof incidentSchema>;
