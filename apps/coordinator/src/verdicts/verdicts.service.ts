import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { OperationalError } from '@ringleader/contracts';
import type { coordinatorContracts, RequestOf, VerdictRecord } from '@ringleader/contracts';
import { VOTE_COUNTS_MS, VerdictTally } from '@ringleader/failure-detection';
import type { Ballot } from '@ringleader/failure-detection';
import { ReadFigures, Registry } from '@ringleader/observability';
import { ServiceClock, ServiceLogger } from '@ringleader/service-host';
import { CoordinatorConfig } from '../coordinator.config.js';
import { ReplicatedStore } from '../store/replicated-store.service.js';
import { memberName, readVerdicts, verdictSteps, type Evidence, type VerdictStep } from './verdict-steps.js';

type VoteRequest = RequestOf<(typeof coordinatorContracts)['vote']>;

/** What is registered may change often; a verdict follows it this much later at most. */
const LOOK_SOON_MS = 50;

/**
 * On the leader: makes verdicts of the detectors' votes, and writes those that change. Votes are volatile: a new leader
 * has none, changes nothing until a majority of the detectors has voted again, and needs nothing else.
 */
@Injectable()
export class VerdictsService implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #tally = new VerdictTally<Evidence>(VOTE_COUNTS_MS);
  readonly #written = new Map<VerdictRecord['verdict'], number>();
  /** Members whose verdict is being written. */
  readonly #underWay = new Set<string>();
  #isLeading = false;
  #soon: NodeJS.Timeout | null = null;
  #votesTotal = 0;

  constructor(
    private readonly config: CoordinatorConfig,
    private readonly store: ReplicatedStore,
    private readonly clock: ServiceClock,
    private readonly logger: ServiceLogger,
  ) {}

  get votesTotal(): number {
    return this.#votesTotal;
  }

  get written(): ReadonlyMap<string, number> {
    return this.#written;
  }

  /** Detectors that vote. */
  get detectors(): number {
    return this.#tally.detectors(this.clock.monotonicMs()).length;
  }

  onApplicationBootstrap(): void {
    this.store.onLeadership(({ leading }) => {
      if (leading !== this.#isLeading) this.#tally.clear();
      this.#isLeading = leading;
    });
    this.store.onChange(() => this.#lookSoon());
  }

  beforeApplicationShutdown(): void {
    this.#isLeading = false;
    if (this.#soon !== null) clearTimeout(this.#soon);
  }

  /** What the members voted on are held to be, before this vote. */
  take(detector: string, { instance, sequence, votes, unheard }: VoteRequest): VerdictRecord[] {
    this.#votesTotal += 1;
    const ballots = votes.map(
      ({ service, id, verdict, instance: judged, incarnation = null, ...evidence }) =>
        [
          memberName(service, id),
          { verdict, instance: judged, incarnation, evidence } satisfies Ballot<Evidence>,
        ] as const,
    );
    const vote = { instance, sequence, ballots: new Map(ballots), unheard: new Set(unheard) };
    const before = readVerdicts(this.store.local);
    if (this.#tally.take(detector, vote, this.clock.monotonicMs())) this.#look();
    return ballots.flatMap(([name]) => before.get(name)?.value ?? []);
  }

  #lookSoon(): void {
    if (!this.#isLeading) return;
    this.#soon ??= setTimeout(() => {
      this.#soon = null;
      this.#look();
    }, LOOK_SOON_MS);
  }

  #look(): void {
    if (!this.#isLeading) return;
    const { store, clock, config } = this;
    const detectors = config.RINGLEADER_FAILURE_DETECTORS;
    const steps = verdictSteps({ store: store.local, tally: this.#tally, clock, detectors });
    for (const step of steps) if (!this.#underWay.has(step.member)) void this.#write(step);
  }

  /** What was not written is found again at the next vote. */
  async #write({ member, before, record, command }: VerdictStep): Promise<void> {
    this.#underWay.add(member);
    try {
      const result = await this.store.propose(command);
      if (result.kind === 'txn' && result.succeeded) this.#tell(member, before, record);
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      this.logger.warn({ about: member, error }, 'A verdict was not written');
    } finally {
      this.#underWay.delete(member);
    }
  }

  #tell(about: string, before: VerdictRecord['verdict'], record: VerdictRecord | null): void {
    if (record === null) return this.logger.info({ about, before }, 'Verdict forgotten: the member has left');
    const { verdict, votes } = record;
    this.#written.set(verdict, (this.#written.get(verdict) ?? 0) + 1);
    this.logger[verdict === 'alive' ? 'info' : 'warn']({ about, before, verdict, votes }, 'Verdict');
  }
}

@Injectable()
export class VerdictMetrics {
  constructor(registry: Registry, verdicts: VerdictsService, store: ReplicatedStore) {
    const figures = new ReadFigures(registry, 'ringleader_coordinator_');
    figures.counter(
      'votes_total',
      'Votes of failure detectors taken by this leader',
      () => verdicts.votesTotal,
    );
    figures.countersBy(
      { name: 'verdicts_total', help: 'Verdicts that changed, as this leader wrote them', label: 'verdict' },
      () => verdicts.written,
    );
    const voting = 'Failure detectors whose votes count, at the leader';
    figures.gauge('voting_detectors', voting, () => verdicts.detectors);
    const held = (verdict: VerdictRecord['verdict']) => (): number =>
      [...readVerdicts(store.local).values()].filter(({ value }) => value.verdict === verdict).length;
    figures.gauge('suspect_members', 'Members that are held to be suspect', held('suspect'));
    figures.gauge('down_members', 'Members that are held to be down', held('down'));
  }
}
