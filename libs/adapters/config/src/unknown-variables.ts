/**
 * A misspelt variable would leave a setting at its default, and nobody would notice. Processes of all services, and the command, may share one
 * environment, so each knows the names of all; `unknown-variables.spec.ts` holds the list to what they declare.
 */
import leven from 'leven';

const PREFIX = 'RINGLEADER_';

/** Without the prefix. */
const KNOWN = new Set(
  `ACCEPTABLE_PAUSE_MS ADVERTISED_HOST AUTHENTICATION BALANCER BOOTSTRAP CANDIDACY_TIMEOUT_MS CA_FILE CLIENT_REQUESTS_MAX CLUSTER
  COMPACTION_AGE_MS COMPACTION_EVENTS COORDINATOR_COUNT COORDINATOR_ID CUTTABLE_LINKS DATA_DIR DELEGATED_TOKENS_MAX DEVIATION_MIN_MS DRAIN_PAUSE_MS
  ELECTION_STAGGER_MS FAILURE_DETECTORS FAULTS_SEED FIRST_HEARTBEAT_GRACE_MS GATEWAYS HASH_INTERVAL_MS HTTP_HOST HTTP_HOSTS
  HTTP_PORT HTTP_TLS_CERT_FILE HTTP_TLS_KEY_FILE IMAGE INITIAL_SHARDS INSECURE KEYED_WRITES_BYTES LARGE_BODIES_BYTES_MAX
  LEASE_HEARTBEAT_MS LEASE_MS LIFELINE_FD LOG_LEVEL MEMBER MEMORY_MIB MOVES_MAX MOVE_BYTES_PER_SECOND_MAX NATS_CA_FILE
  NATS_CERT_FILE NATS_CREDENTIALS_FILE NATS_DISCOVERY NATS_IMAGE NATS_KEY_FILE NATS_NKEY_FILE NATS_PASSWORD NATS_REFUSED NATS_URL NATS_USER
  OPERATIONS_MAX PARTITION_COUNT PHI_THRESHOLD POSTGRES_IMAGE POSTGRES_AWAY_MS POSTGRES_PASSWORD POSTGRES_STALL_MS POSTGRES_URL PROBERS
  PROBE_HOST PROBE_PORT PROBE_ROUND_MS PURGE_AFTER_MS PURGE_REST_MS RAFT_ELECTION_TICKS RAFT_HEARTBEAT_TICKS
  RAFT_LEASE_DRIFT_PERCENT RAFT_SNAPSHOT_ENTRIES RAFT_TICK_MS RAFT_TRAILING_ENTRIES READ_PROOF RECENT_KEYS_BYTES
  REPEATS_REMEMBERED REPLACE_AFTER_MS REPLICATION_FACTOR REQUESTS_MAX REQUEST_BYTES_MAX RESEND_INTERVAL_MS ROOT_TOKEN_ALSO_FILES ROOT_TOKEN_FILE
  ROW_CACHE_BYTES SHARD_REQUEST_BYTES_MAX SLOW_START_MS STOP_WITHIN_MS STOP_WITH_PARENT STORE_BYTES_MAX SUSPICION_MAX_MS
  SUSPICION_MIN_MS TOKEN_FILE TOKEN_REVIEW TOMBSTONE_BYTES TRUSTED_PROXIES UNKNOWN_VARIABLES VERIFY_BYTES_PER_SECOND VERIFY_INTERVAL_MS WATCH_NAMESPACE
  WEIGHT ZONE`.split(/\s+/),
);

/** What Kubernetes tells every pod of the services in its namespace, whatever they are called. */
const SERVICE_LINK =
  /^RINGLEADER_(?:\w+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)$/;
const SERVICE_LINK_PORT = /^RINGLEADER_(?:\w+_)?PORT$/;
const SERVICE_LINK_URL = /^(?:tcp|udp|sctp):\/\//;

/** A name further off is no slip of the finger. */
const DISTANCE_MAX = 4;

/** Those that have a value and that no service knows, each with what is wrong with it. */
export function unknownVariables(
  environment: Readonly<Record<string, string | undefined>>,
  declared: readonly string[],
): { variable: string; message: string }[] {
  const own = declared.filter((name) => name.startsWith(PREFIX)).map((name) => name.slice(PREFIX.length));
  const values = [...KNOWN, ...own];
  // Any may stand in a file.
  const known = new Set([...values, ...values.map((name) => `${name}_FILE`)]);
  return Object.entries(environment)
    .filter(([variable, value = '']) => {
      return variable.startsWith(PREFIX) && value !== '' && !isServiceLink(variable, value);
    })
    .map(([variable]) => variable.slice(PREFIX.length))
    .filter((name) => !known.has(name))
    .map((name) => ({ variable: `${PREFIX}${name}`, message: sentenceFor(name, known) }));
}

function isServiceLink(variable: string, value: string): boolean {
  return SERVICE_LINK.test(variable) || (SERVICE_LINK_PORT.test(variable) && SERVICE_LINK_URL.test(value));
}

function sentenceFor(name: string, known: ReadonlySet<string>): string {
  const [nearest] = [...known]
    .map((candidate) => ({ candidate, distance: leven(name, candidate) }))
    .sort((a, b) => a.distance - b.distance);
  const isNear = nearest !== undefined && nearest.distance <= DISTANCE_MAX;
  return isNear ? `is unknown; is ${PREFIX}${nearest.candidate} meant?` : 'is unknown';
}
