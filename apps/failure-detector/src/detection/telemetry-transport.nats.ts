/** The heartbeats, reports and probes of all, over NATS. */
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { heartbeatSchema, probeReportSchema, subjects, verdictReportSchema } from '@ringleader/contracts';
import type { Heartbeat, ProbeReport, ProbeRequest, Speaker, VerdictReport } from '@ringleader/contracts';
import { NatsLink, subscribeJson } from '@ringleader/nats';
import type { JsonSubject, Subscription } from '@ringleader/nats';
import { Self } from '@ringleader/service-host';
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
    const subject = subjects.heartbeat.to(this.self.cluster);
    const isOf = ({ service, id }: Heartbeat, speaker: Speaker): boolean =>
      service === speaker.service && id === speaker.member;
    this.#subscribe({ name: 'heartbeat', subject, schema: heartbeatSchema }, isOf, listener);
  }

  onReport(listener: (report: VerdictReport) => void): void {
    const subject = subjects.verdicts.to(this.self.cluster);
    const isOf = ({ detector }: VerdictReport, speaker: Speaker): boolean => detector === speaker.member;
    this.#subscribe({ name: 'verdicts', subject, schema: verdictReportSchema }, isOf, listener);
  }

  publishReport(report: VerdictReport): void {
    const { cluster, id } = this.self;
    const subject = subjects.verdicts.from(cluster, { service: 'failure-detector', member: id });
    if (this.link.publish(subject, JSON.stringify(report))) this.metrics.reports.inc();
  }

  /** What others that were asked say of whom they pinged. */
  onProbed(listener: (report: ProbeReport, by: Speaker) => void): void {
    const subject = subjects.probed.to(this.self.cluster, this.self.id);
    const subscription = subscribeJson(
      this.link,
      { name: 'probed', subject, schema: probeReportSchema },
      (report, by) => {
        listener(report, by);
        return true;
      },
    );
    this.#subscriptions.push(subscription);
  }

  askToProbe({ service, id }: Pick<ProbeRequest, 'service' | 'id'>, request: ProbeRequest): void {
    const speaker = { service: 'failure-detector', member: this.self.id } as const;
    const subject = subjects.probe.from(this.self.cluster, speaker, service, id);
    this.link.publish(subject, JSON.stringify(request));
  }

  /** No listener is called any more. */
  onApplicationShutdown(): void {
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
  }

  #subscribe<Message>(
    to: JsonSubject<Message>,
    isOf: (message: Message, speaker: Speaker) => boolean,
    listener: (message: Message) => void,
  ): void {
    const subscription = subscribeJson(this.link, to, (message, speaker) => {
      const isOwn = isOf(message, speaker);
      if (isOwn) listener(message);
      return isOwn;
    });
    this.#subscriptions.push(subscription);
  }
}
