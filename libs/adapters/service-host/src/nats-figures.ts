import { Injectable } from '@nestjs/common';
import { NatsLinks } from '@ringleader/nats';
import type { NatsCounts } from '@ringleader/nats';
import { ReadFigures, Registry } from '@ringleader/observability';

const COUNTERS: Readonly<Record<keyof NatsCounts, readonly [name: string, help: string]>> = {
  disconnects: ['disconnects_total', 'Times that the connection broke'],
  reconnects: ['reconnects_total', 'Times that the connection was made again'],
  stale: ['stale_total', 'Times that a nats-server was given up because it did not answer pings'],
  slowConsumers: ['slow_consumers_total', 'Times that this process was too slow to read'],
  permissionViolations: ['permission_violations_total', 'Publishes and subscriptions that NATS refused'],
  otherErrors: ['errors_total', 'Other errors that nats-servers reported'],
  dropped: ['dropped_total', 'Messages that were not sent for want of a connection'],
};

/** What becomes of the process's connections to NATS, by lane. */
@Injectable()
export class NatsFigures {
  constructor(registry: Registry, { control, data }: NatsLinks) {
    const figures = new ReadFigures(registry, 'ringleader_nats_');
    const lanes = control === data ? [control] : [control, data];
    for (const [count, [name, help]] of Object.entries(COUNTERS)) {
      const read = (): Map<string, number> =>
        new Map(lanes.map(({ lane, counts }) => [lane, counts[count as keyof NatsCounts]]));
      figures.countersBy({ name, help, label: 'lane' }, read);
    }
    const refused = {
      name: 'frames_refused_total',
      help: 'Frames received and dropped, by what they are and why',
      label: ['frame', 'reason'] as const,
    };
    figures.countersBy(refused, () => new Map(lanes.flatMap(({ frames }) => [...frames.refused])));
    figures.gauge('connected', '1 while all connections stand', () =>
      lanes.every(({ isConnected }) => isConnected) ? 1 : 0,
    );
  }
}
