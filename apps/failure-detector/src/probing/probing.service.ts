import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { ProbeRequest } from '@ringleader/contracts';
import type { ProbeOrder } from '@ringleader/failure-detection';
import { SignsOfLife } from '@ringleader/service-host';
import { DetectionService, memberName, parseMemberName } from '../detection/detection.service.js';
import { DetectorMetrics } from '../detection/detector-metrics.js';
import { TelemetryTransport } from '../detection/telemetry-transport.nats.js';

/** Of a round, what those who are asked have themselves: the rest is the way of their word to the detector. */
const ASKED_SHARE = 0.7;

/** Carries out the probes that the detector orders: pings the member, and asks others to. */
@Injectable()
export class ProbingService implements OnApplicationBootstrap {
  constructor(
    private readonly detection: DetectionService,
    private readonly transport: TelemetryTransport,
    private readonly signs: SignsOfLife,
    private readonly metrics: DetectorMetrics,
  ) {}

  onApplicationBootstrap(): void {
    this.transport.onProbed(({ round, service, id, outcome }, by) => {
      this.metrics.probes.inc({ outcome });
      const prober = memberName({ service: by.service, id: String(by.member) });
      const isAnswered = outcome === 'answered';
      this.detection.probed({ round, member: memberName({ service, id }), by: prober, isAnswered });
    });
    this.detection.onOpinion(({ orders }) => {
      for (const order of orders) this.#carryOut(order);
    });
  }

  #carryOut({ round, member, probers, withinMs, suspectedAt }: ProbeOrder): void {
    const suspect = parseMemberName(member);
    if (suspect === null) return;
    const asked: ProbeRequest = {
      ...{ round, ...suspect, withinMs: Math.round(withinMs * ASKED_SHARE) },
      ...(suspectedAt !== null && { suspectedAt }),
    };
    for (const prober of probers) {
      const to = parseMemberName(prober);
      if (to !== null) this.transport.askToProbe(to, asked);
    }
    void this.#ping({ ...asked, withinMs }, member);
  }

  async #ping({ round, service, id, withinMs, suspectedAt }: ProbeRequest, member: string): Promise<void> {
    const pong = await this.signs.ping({ service, id }, { withinMs, suspectedAt });
    this.metrics.probes.inc({ outcome: pong === null ? 'silent' : 'answered' });
    if (pong === null) return;
    this.detection.probed({ round, member, by: this.detection.name, isAnswered: true });
  }
}
