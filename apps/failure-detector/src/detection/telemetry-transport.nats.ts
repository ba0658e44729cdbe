/** The heartbeats and reports of all, over NATS. */
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { heartbeatSchema, speakerOf, subjects, verdictReportSchema } from '@ringleader/contracts';
import type { Heartbeat, Speaker, VerdictReport } from '@ringleader/contracts';
import { NatsLink } from '@ringleader/nats';
import type { Subscription } from '@ringleader/nats';
import { Self } from '@ringleader/service-host';
import type { z } from 'zod';
import { DetectorMetrics } from './detector-metrics.js';

@Injectable()
export class TelemetryTransport implements OnApplicationShutdown {
  readonly #subscriptions: Subscription[] = [];

  constructor(
    private readonly link: NatsLink,
    private readonly self: Self,
    private readonly metrics: DetectorMetrics,
  ) {}

  onHeartbeat(listener: (heartbeat: Heartbeat) => void): void {
    const isOf = ({ service, id }: Heartbeat, speaker: Speaker): boolean =>
      service === speaker.service && id === speaker.member;
    this.#subscribe('heartbeat', heartbeatSchema, isOf, listener);
  }

  onReport(listener: (report: VerdictReport) => void): void {
    const isOf = ({ detector }: VerdictReport, speaker: Speaker): boolean => detector === speaker.member;
    this.#subscribe('verdicts', verdictReportSchema, isOf, listener);
  }

  publishReport(report: VerdictReport): void {
    const { cluster, id } = this.self;
    const subject = subjects.verdicts.from(cluster, { service: 'failure-detector', member: id });
    if (this.link.publish(subject, JSON.stringify(report))) this.metrics.reports.inc();
  }

  /** No listener is called any more. */
  onApplicationShutdown(): void {
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
  }

  /**
   * What does not fit the schema, or claims to be another's, is counted: a member of another version, or nothing of ours.
   */
  #subscribe<Schema extends z.ZodType>(
    what: 'heartbeat' | 'verdicts',
    schema: Schema,
    isOf: (message: z.infer<Schema>, speaker: Speaker) => boolean,
    listener: (message: z.infer<Schema>) => void,
  ): void {
    const subscription = this.link.connection.subscribe(subjects[what].to(this.self.cluster), {
      callback: (error, message) => {
        const { frames } = this.link;
        const parsed = error === null ? schema.safeParse(parseJson(message.string())) : null;
        const speaker = speakerOf(message.subject);
        if (parsed === null) frames.refuse(what, 'error');
        else if (!parsed.success) frames.refuse(what, 'malformed');
        else if (speaker === null || !isOf(parsed.data, speaker)) frames.refuse(what, 'misattributed');
        else listener(parsed.data);
      },
    });
    this.#subscriptions.push(subscription);
  }
}

/** Undefined for what is not JSON, which fits no schema. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
