import { Injectable } from '@nestjs/common';
import { verdictSchema } from '@ringleader/contracts';
import type { MemberAssessment } from '@ringleader/failure-detection';
import { Counter, Gauge, Registry } from '@ringleader/observability';

@Injectable()
export class DetectorMetrics {
  readonly heartbeats: Counter;
  readonly reports: Counter;
  readonly probes: Counter<'outcome'>;
  readonly votes: Counter<'outcome'>;
  readonly #members: Gauge<'verdict'>;
  readonly #phi: Gauge<'about'>;
  readonly #held: Gauge;
  readonly #distrust: Gauge;

  constructor(registry: Registry) {
    const registers = [registry];
    const counter = (name: string, help: string): Counter =>
      new Counter({ name: `ringleader_detector_${name}_total`, help, registers });
    this.heartbeats = counter('heartbeats', 'Heartbeats of others that said something new');
    this.reports = counter('reports', 'Reports published');
    this.probes = new Counter({
      name: 'ringleader_detector_probes_total',
      help: 'Probes of members that were doubted, by what came of them',
      labelNames: ['outcome'],
      registers,
    });
    this.votes = new Counter({
      name: 'ringleader_detector_votes_total',
      help: 'Votes sent to the coordinators, and whether their leader has taken them',
      labelNames: ['outcome'],
      registers,
    });
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
    this.#held = new Gauge({
      name: 'ringleader_detector_held_members',
      help: 'Members that beat, and are held suspect because they came back too often lately',
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
    this.#held.set(assessments.filter(({ isHeld }) => isHeld).length);
    this.#distrust.set(distrust);
  }
}
