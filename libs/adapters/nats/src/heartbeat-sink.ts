import type { NatsConnection } from '@nats-io/nats-core';
import { heartbeatSubject } from '@ringleader/contracts';

/** Where a process's heartbeats go. A closed connection swallows them: silence is what a failure detector listens for. */
export function heartbeatSink(connection: NatsConnection, cluster: string): (json: string) => void {
  return (json) => {
    if (!connection.isClosed()) connection.publish(heartbeatSubject(cluster), json);
  };
}
