/**
 * A process that carries bulk has two connections: what keeps the cluster alive (heartbeats, leases, elections, control
 * calls, announcements) must not stand in a queue behind hundreds of megabytes. Order holds within a connection only,
 * never between the two: the protocols that use both take loss, repetition and reordering for granted.
 */
import type { OperationalError } from '@ringleader/contracts';
import { connectNats } from './connection.js';
import type { NatsOptions } from './connection.js';
import type { Understanding } from './frame-wire.js';
import { Isolation } from './isolation.js';
import type { NatsLink, NatsLog } from './nats-link.js';

export class NatsLinks {
  /** As of a link: for whichever ends first without having been asked to. */
  readonly ended: Promise<OperationalError | null>;

  constructor(
    readonly control: NatsLink,
    /** The same as `control` in a process without bulk. */
    readonly data: NatsLink,
  ) {
    this.ended = Promise.race([control.ended, data.ended]);
  }

  get isConnected(): boolean {
    return this.control.isConnected && this.data.isConnected;
  }

  get refusedBecause(): string | null {
    return this.control.refusedBecause ?? this.data.refusedBecause;
  }

  async close(): Promise<void> {
    await Promise.all([this.control.close(), this.data.close()]);
  }
}

/** Its pings stand behind its bulk, so they may be late; a server that stopped is noticed by the other connection. */
const PATIENT_PINGS = { intervalMs: 2_500, unansweredMax: 3 } as const;

export async function connectNatsLinks(options: NatsOptions, log: NatsLog): Promise<NatsLinks> {
  const common = { understood: new Map<string, Understanding>(), isolation: new Isolation() };
  const shared = { ...options, ...common };
  const control = await connectNats({ ...shared, lane: 'control' }, log);
  try {
    return new NatsLinks(control, await connectData(shared, control, log));
  } catch (error) {
    await control.close();
    throw error;
  }
}

async function connectData(options: NatsOptions, control: NatsLink, log: NatsLog): Promise<NatsLink> {
  const data = await connectNats(
    {
      ...options,
      lane: 'data',
      name: `${options.name}-data`,
      pings: PATIENT_PINGS,
      preferredServer: () => (control.isConnected ? control.server : null),
    },
    log,
  );
  control.onChange((isConnected) => {
    // It has left a server that is stopped, or is back at one that was: the other follows at once.
    if (isConnected && !data.connection.isClosed() && data.server !== control.server) {
      void data.connection.reconnect().catch((error: unknown) => {
        log.warn({ lane: 'data', error }, 'The connection did not follow to another nats-server');
      });
    }
  });
  return data;
}
