/** One life of the core: from an opened storage to its first failure, or to the end of the process. */
import { randomInt } from 'node:crypto';
import { type PaxosEvent, PaxosShard, togetherEvery } from '@ringleader/paxos';
import type { Logger } from '@ringleader/observability';
import { seededPrng } from '@ringleader/primitives';
import {
  paxosLimits,
  paxosRules,
  paxosTimings,
  type ShardConfig,
  paxosVerification,
} from '../shard.config.js';
import type { DataPath } from './data-path.js';
import type { IncidentReporter } from './incident-reporter.js';
import type { LeaderAnnouncer } from './leader-announcer.js';
import type { RequestDesk } from './request-desk.js';
import type { ShardActivity } from './shard-activity.js';
import type { ShardClock } from './shard-clock.js';
import { ShardDriver } from './shard-driver.js';
import type { OpenedShard } from './shard-opening.js';

export interface LifeSurroundings {
  readonly config: ShardConfig;
  readonly logger: Logger;
  readonly clock: ShardClock;
  readonly dataPath: DataPath;
  readonly desk: RequestDesk;
  readonly announcer: LeaderAnnouncer;
  readonly activity: ShardActivity;
  readonly incidents?: IncidentReporter;
}

const UINT32_END = 2 ** 32;

export function startLife(
  { ordinal, incarnation, storage, records }: Omit<OpenedShard, 'setAside'>,
  surroundings: LifeSurroundings,
  onFailure: (error: unknown) => void,
): ShardDriver {
  const { config, clock, dataPath, desk, announcer, activity, logger, incidents } = surroundings;
  const timings = paxosTimings(config);
  const core = new PaxosShard({
    ordinal,
    incarnation,
    timings,
    limits: paxosLimits(config),
    rules: paxosRules(config),
    records,
    backlog: dataPath.peerBacklog,
    stamp: clock.stamp,
    prng: seededPrng(randomInt(UINT32_END)),
    startedAt: clock.monotonicMs(),
    nextBeat: togetherEvery(timings.heartbeatIntervalMs),
    ...paxosVerification(config),
  });
  return new ShardDriver({
    ordinal,
    core,
    storage,
    clock,
    peers: dataPath,
    onReply: (reply) => desk.answer(reply),
    onEvent: (event) => {
      activity.countEvent(event);
      incidents?.note(ordinal, event);
      announcer.follow(event);
      logEvent(logger, event);
    },
    onTurnEnd: () => {
      desk.flush();
      announcer.announceChanges();
    },
    onTransaction: (transaction, durationMs) => activity.countTransaction(transaction, durationMs),
    onFailure,
  });
}

/** Copies are rare and long; all else comes hundreds at a time when a shard starts or stops. */
function logEvent(logger: Logger, event: PaxosEvent): void {
  if (event.kind === 'copyStarted' || event.kind === 'copyFinished')
    logger.info({ event }, 'Partition event');
  else logger.debug({ event }, 'Partition event');
}
