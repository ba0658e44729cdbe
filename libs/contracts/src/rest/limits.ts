/** What a client may ask for at most. The REST contract states these figures; errors repeat them. */
export const REST_LIMITS = {
  keyBytesMax: 1_024,
  valueBytesMax: 1_048_576,
  contentTypeLengthMax: 1_024,
  batchOperationsMax: 1_000,
  batchBytesMax: 8_388_608,
  /** Values that one batch or one page of a list gives back at most; what is over is for a request of its own. */
  answerValueBytesMax: 8_388_608,
  pageValueBytesMax: 4_194_304,
  listLimitMax: 1_000,
  listLimitDefault: 100,
  timeoutMsDefault: 5_000,
  timeoutMsMax: 60_000,
  idempotencyKeyLengthMax: 64,
  headerBytesMax: 32_768,
  headersMax: 1_000,
} as const;

/** A gateway that stops has ended all that is under way after so long: the longest deadline, and writing the answers. */
export const GATEWAY_DRAIN_MS = REST_LIMITS.timeoutMsMax + 15_000;

export const DEFAULT_CONTENT_TYPE = 'application/octet-stream';

/** Headers of our own, as they are written. */
export const REST_HEADERS = {
  timeoutMs: 'Ringleader-Timeout-Ms',
  version: 'Ringleader-Version',
  servedBy: 'Ringleader-Served-By',
  stalenessMs: 'Ringleader-Staleness-Ms',
  idempotencyKey: 'Idempotency-Key',
} as const;
