import { Injectable } from '@nestjs/common';
import { verdictSchema } from '@ringleader/contracts';
import type { MemberAssessment } from '@ringleader/failure-detection';
import { Counter, Gauge, Registry } from '@ringleader/observability';

@Injectable()
export class DetectorMetrics {
  readonly heartbeats: Counter;
  readonly reports: Counter;
  readonly #members: Gauge<'verdict'>;
  readonly #phi: Gauge<'about'>;
  readonly #distrust: Gauge;

  constructor(registry: Registry) {
    const registers = [registry];
    const counter = (name: string, help: string): Counter =>
      new Counter({ name: `ringleader_detector_${name}_total`, help, registers });
    this.heartbeats = counter('heartbeats', 'Heartbeats of others that said something new');
    this.reports = counter('reports', 'Reports published');
    this.#members = new Gauge({
      name: 'ringleader_detector_members',
      help: 'Members by verdict',
      labelNames: ['verdict'],
      registers,
    });
    this.#phi = new Gauge({
      name: 'ringleader_detector_phi',
      help: 'How unlikely the present silence of a member is',
      labelNames: ['about'],
      registers,
    });
    this.#distrust = new Gauge({
      name: 'ringleader_detector_distrust',
      help: 'Signs of own slowness: all waiting is longer by so many heartbeats',
      registers,
    });
  }

  show(assessments: readonly MemberAssessment[], distrust: number): void {
    this.#phi.reset();
    for (const { member, phi } of assessments) this.#phi.set({ about: member }, phi);
    for (const verdict of verdictSchema.options) {
      this.#members.set({ verdict }, assessments.filter(({ state }) => state === verdict).length);
    }
    this.#distrust.set(distrust);
  }
}
