/** The heartbeats and reports of all, over NATS. */
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import {
  heartbeatSchema,
  heartbeatSubject,
  verdictReportSchema,
  verdictsSubject,
} from '@ringleader/contracts';
import type { Heartbeat, VerdictReport } from '@ringleader/contracts';
import type { Subscription } from '@ringleader/nats';
import { Nats, Self } from '@ringleader/service-host';
import type { z } from 'zod';
import { DetectorMetrics } from '../health/detector-metrics.js';

@Injectable()
export class TelemetryTransport implements OnApplicationShutdown {
  readonly #subscriptions: Subscription[] = [];

  constructor(
    private readonly connection: Nats,
    private readonly self: Self,
    private readonly metrics: DetectorMetrics,
  ) {}

  onHeartbeat(listener: (heartbeat: Heartbeat) => void): void {
    this.#subscribe(heartbeatSubject(this.self.cluster), heartbeatSchema, listener);
  }

  onReport(listener: (report: VerdictReport) => void): void {
    this.#subscribe(verdictsSubject(this.self.cluster), verdictReportSchema, listener);
  }

  publishReport(report: VerdictReport): void {
    if (this.connection.isClosed()) return;
    this.connection.publish(verdictsSubject(this.self.cluster), JSON.stringify(report));
    this.metrics.reports.inc();
  }

  /** No listener is called any more. */
  onApplicationShutdown(): void {
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
  }

  /** What does not fit the schema is counted: a member of another version, or nothing of ours. */
  #subscribe<Schema extends z.ZodType>(
    subject: string,
    schema: Schema,
    listener: (message: z.infer<Schema>) => void,
  ): void {
    const subscription = this.connection.subscribe(subject, {
      callback: (error, message) => {
        const parsed = error === null ? schema.safeParse(parseJson(message.string())) : null;
        if (parsed?.success === true) listener(parsed.data);
        else this.metrics.malformed.inc();
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
