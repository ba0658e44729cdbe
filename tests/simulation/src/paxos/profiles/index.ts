import { RANDOM, type Profile } from '../profile.js';
import { CHURN, DUELS, SLOW_LEADER, SLOW_READS } from './churn.js';
import { COPIES } from './copies.js';
import { CONFIRMED_ONLY, HEARTBEATS_ONLY, NEW_EPOCH, RELEASED, RESTARTED_GRANTER } from './grants.js';
import { REUSED_BALLOT, STALE_PROMISE } from './promises.js';
import { KEYED } from './keyed.js';
import { LEAPING_FLOORS } from './leaping-floors.js';
import { LATE_ANSWERS } from './late-answers.js';
import { LATE_OFFERS } from './late-offers.js';
import { LATE_REQUESTS } from './late-requests.js';
import { PURGED_EARLY, PURGED_WRITES } from './purged.js';
import { PURGES } from './purges.js';
import { DEPOSED_COPY, PURGED_AHEAD, RECOPIED } from './recopied.js';
import {
  ASKED_ELSEWHERE,
  FORGOTTEN_FAILURES,
  FORGOTTEN_WRITES,
  HIDDEN_WRITE,
  UNSENT_WRITE,
} from './repeats.js';
import { REMOVED } from './removed.js';
import { EXPIRING, EXPIRING_SCANS, SCANNED_LEADER, SCANNED_REPLICAS } from './scans.js';
import { DEAF_FOLLOWER, FORMER_LEADER, LATE_POINTS } from './stamps.js';
import { COMPARED, COMPARED_PURGES } from './compared.js';
import { SHORT_OF_A_JUMP, STOPPED_LEADER } from './stops.js';
import { SLOW_ROWS } from './slow-rows.js';
import { SUSPENDED } from './suspended.js';
import { TOLD_MEMORIES } from './told-memories.js';
import { UNDONE } from './undone.js';
import { UNPROVEN_BARRIER } from './unproven.js';
import { WRONG_PEERS } from './wrong-peers.js';
import { LEAVING_LEADER, MEMBERSHIP, STALE_EPOCH } from './membership.js';
import {
  AGED_REPLICA,
  DRIFT,
  PAUSED_LEADER,
  RARE_BEATS,
  SLOW_ANSWERS,
  SPLIT_LEADER,
  WILD_CLOCKS,
} from './leases.js';

/** Those that steer; the rules must pass on them, and the controls that they are for must not. */
export const STEERED: readonly Profile[] = [
  CHURN,
  SLOW_READS,
  DUELS,
  STALE_PROMISE,
  REUSED_BALLOT,
  SLOW_LEADER,
  COPIES,
  DEPOSED_COPY,
  PURGES,
  RECOPIED,
  PURGED_AHEAD,
  PURGED_EARLY,
  PURGED_WRITES,
  LATE_ANSWERS,
  LATE_OFFERS,
  LATE_REQUESTS,
  KEYED,
  ASKED_ELSEWHERE,
  FORGOTTEN_FAILURES,
  FORGOTTEN_WRITES,
  HIDDEN_WRITE,
  UNSENT_WRITE,
  TOLD_MEMORIES,
  EXPIRING,
  EXPIRING_SCANS,
  SCANNED_LEADER,
  SCANNED_REPLICAS,
  MEMBERSHIP,
  REMOVED,
  STALE_EPOCH,
  LEAVING_LEADER,
  UNPROVEN_BARRIER,
  SPLIT_LEADER,
  DRIFT,
  WILD_CLOCKS,
  SLOW_ANSWERS,
  RARE_BEATS,
  PAUSED_LEADER,
  AGED_REPLICA,
  DEAF_FOLLOWER,
  FORMER_LEADER,
  LATE_POINTS,
  RESTARTED_GRANTER,
  CONFIRMED_ONLY,
  NEW_EPOCH,
  HEARTBEATS_ONLY,
  RELEASED,
  SUSPENDED,
  SHORT_OF_A_JUMP,
  STOPPED_LEADER,
  UNDONE,
  WRONG_PEERS,
  LEAPING_FLOORS,
  SLOW_ROWS,
  COMPARED,
  COMPARED_PURGES,
];

export const PROFILES: readonly Profile[] = [RANDOM, ...STEERED];
