/**
 * A process that carries bulk has two connections: what keeps the cluster alive (heartbeats, leases, elections, control
 * calls, announcements) must not stand in a queue behind hundreds of megabytes. Order holds within a connection only,
 * never between the two: the protocols that use both take loss, repetition and reordering for granted.
 */
import { connectNats } from './connection.js';
import type { NatsOptions } from './connection.js';
import type { NatsLink, NatsLog } from './nats-link.js';

export interface NatsLinks {
  readonly control: NatsLink;
  readonly data: NatsLink;
  close(): Promise<void>;
}

/** Its pings stand behind its bulk, so they may be late; a server that stopped is noticed by the other connection. */
const PATIENT_PINGS = { intervalMs: 1_000, unansweredMax: 9 } as const;

export async function connectNatsLinks(options: NatsOptions, log: NatsLog): Promise<NatsLinks> {
  const control = await connectNats({ ...options, lane: 'control' }, log);
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
  return {
    control,
    data,
    close: async () => {
      await Promise.all([control.close(), data.close()]);
    },
  };
}
