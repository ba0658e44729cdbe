import { Injectable } from '@nestjs/common';
import { ReadFigures, Registry } from '@ringleader/observability';
import type { Logger } from '@ringleader/observability';
import { Health, ServiceLogger } from '@ringleader/service-host';
import type { LogRepair } from '@ringleader/log-storage';
import type { MemberId, RaftEvent, Seat } from '@ringleader/raft';

/** Facts for logs and metrics. */
export type RaftNodeEvent =
  | RaftEvent
  | { readonly kind: 'tornTailRepaired'; readonly repair: LogRepair }
  | { readonly kind: 'snapshotTaken'; readonly index: number; readonly sizeBytes: number }
  | { readonly kind: 'foundersAwaited'; readonly seats: readonly Seat[] }
  /** A process with another id than that of the member speaks from its seat: its disk was lost. It is told so. */
  | { readonly kind: 'strangerRefused'; readonly seat: Seat; readonly id: MemberId }
  | { readonly kind: 'frameRefused'; readonly reason: string }
  /** No room for entries: this member is read-only until there is. */
  | { readonly kind: 'diskFull' | 'diskHasRoom' }
  | { readonly kind: 'inboxFull'; readonly dropped: number };

/** What happens in the group, logged and counted: elections above all. */
@Injectable()
export class RaftEvents {
  readonly #counts = new Map<RaftNodeEvent['kind'], number>();

  constructor(
    private readonly logger: ServiceLogger,
    private readonly health: Health,
    registry: Registry,
  ) {
    const events = { name: 'raft_events_total', help: 'Elections, snapshots, refusals', label: 'kind' };
    new ReadFigures(registry, 'ringleader_coordinator_').countersBy(events, () => this.#counts);
  }

  readonly opened = (): void => this.health.started();

  readonly take = (event: RaftNodeEvent): void => {
    this.#counts.set(event.kind, (this.#counts.get(event.kind) ?? 0) + 1);
    logRaftEvent(this.logger, event);
  };
}

function logRaftEvent(logger: Logger, event: RaftNodeEvent): void {
  switch (event.kind) {
    case 'leaderChanged':
      return logger.info(
        { raft: event },
        event.leader === 0 ? 'The leader is not known' : 'There is a leader',
      );
    case 'candidacy':
      return logger.info({ raft: event }, 'Seeking election');
    case 'steppedDown':
      return logger.info({ raft: event }, 'Stepped down');
    case 'diskStill':
      return logger.error(
        { raft: event },
        'The disk writes nothing any more, and the other coordinators go on without it: handing over the leadership',
      );
    case 'configurationChanged':
      return logger.info({ raft: event }, 'The group of coordinators has changed');
    case 'removed':
      return logger.warn({ raft: event }, 'This coordinator was removed from the group');
    case 'snapshotSending':
      return logger.info({ raft: event }, 'Sending a snapshot');
    case 'snapshotInstalled':
      return logger.info({ raft: event }, 'Installed a snapshot');
    case 'snapshotTaken':
      return logger.info({ raft: event }, 'Took a snapshot');
    case 'tornTailRepaired':
      return logger.warn({ raft: event }, 'Cut a torn tail off the log: nothing in it had been acknowledged');
    case 'foundersAwaited':
      return logger.info({ raft: event }, 'Founding a cluster: waiting for the other coordinators');
    case 'strangerRefused':
      return logger.warn({ raft: event }, 'Refused a coordinator that has lost its disk');
    case 'implausible':
      return logger.warn({ raft: event }, 'Refused a Raft message that no coordinator says');
    case 'frameRefused':
      return logger.warn({ raft: event }, 'Refused a malformed Raft frame');
    case 'diskFull':
      return logger.error(
        { raft: event },
        'The disk is full: this coordinator takes no writes until there is room',
      );
    case 'diskHasRoom':
      return logger.info({ raft: event }, 'The disk has room again');
    case 'inboxFull':
      return logger.warn({ raft: event }, 'Dropped Raft messages: the inbox is full');
  }
}
