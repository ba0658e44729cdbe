import { subjects } from '@ringleader/contracts';
import type { Speaker } from '@ringleader/contracts';
import type { NatsLink } from './nats-link.js';

/** Where a process's heartbeats go. Without a connection they are dropped: silence is what a failure detector listens for. */
export function heartbeatSink(link: NatsLink, cluster: string, speaker: Speaker): (json: string) => void {
  const subject = subjects.heartbeat.from(cluster, speaker);
  return (json) => {
    link.publish(subject, json);
  };
}
