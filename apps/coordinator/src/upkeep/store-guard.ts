/**
 * Every member holds its store against those of the others, all the time: the hash of a revision costs nothing, since each
 * change rolls it on. Who differs from the hash that a majority of the voters has is corrupt: everybody says so, and itself it
 * ends, at once and for good. It does not stay on as a silent member: what else of it is wrong nobody knows, and the others
 * need its place for one that is right. Never does more than a minority end.
 */
import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { OperationalError, coordinatorName } from '@ringleader/contracts';
import { ReadFigures, Registry } from '@ringleader/observability';
import { HostSigns } from '@ringleader/service-host';
import { CoordinatorConfig } from '../coordinator.config.js';
import { ComparisonService } from './comparison.service.js';
import { CorruptionAlarms } from './corruption-alarms.js';
import { markCorrupt, storeCorrupt } from './corruption-mark.js';
import { NEVER_REACHED, type Judgement } from './store-judgement.js';

@Injectable()
export class StoreGuard implements OnApplicationBootstrap, BeforeApplicationShutdown {
  #timer: NodeJS.Timeout | null = null;
  #isLooking = false;
  #last: Judgement | null = null;
  #told = '';

  constructor(
    private readonly comparison: ComparisonService,
    private readonly alarms: CorruptionAlarms,
    private readonly config: CoordinatorConfig,
    private readonly signs: HostSigns,
  ) {
    signs.health.readyWhen(() => this.#reasons());
  }

  /** What the last look came to. */
  get last(): Judgement | null {
    return this.#last;
  }

  onApplicationBootstrap(): void {
    this.#timer = setInterval(() => void this.look(), this.config.RINGLEADER_HASH_INTERVAL_MS);
  }

  beforeApplicationShutdown(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  async look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      const found = await this.#compare();
      this.#last = found;
      this.#tell(found);
      await this.#act(found);
    } catch (error) {
      if (!(error instanceof OperationalError)) this.signs.fatal.report(error);
      else this.signs.logger.warn({ error }, 'The stores of the coordinators could not be compared');
    } finally {
      this.#isLooking = false;
    }
  }

  async #compare(): Promise<Judgement> {
    const first = await this.comparison.compare();
    if (first.differing.length === 0) return first;
    // Nothing rests on one look.
    const found = await this.comparison.compare();
    if (found.expected !== NEVER_REACHED) return found;
    // Who is ahead of the majority has no hash of theirs to be told by, unless they differ before that, too.
    const before = await this.comparison.compare(found.common);
    return before.differing.length > 0 ? before : found;
  }

  async #act({ differing, expected, revision }: Judgement): Promise<void> {
    if (this.comparison.isLeading) await this.alarms.clearForgotten();
    if (expected === null) return;
    const self = differing.find(({ id }) => this.comparison.isSelf(id));
    const end = self && { seat: self.seat, revision, hash: self.hash, expected };
    if (end !== undefined) await markCorrupt(this.config.RINGLEADER_DATA_DIR, end);
    try {
      for (const { id, seat, hash } of differing) {
        await this.alarms.raise({ id: String(id), name: coordinatorName(seat), revision, hash, expected });
      }
    } finally {
      // When the others know, or could not be told.
      if (end !== undefined) this.signs.fatal.report(storeCorrupt(end));
    }
  }

  /** Once for each finding. */
  #tell({ differing, expected, revision, members }: Judgement): void {
    const names = differing.map(({ seat }) => coordinatorName(seat)).join(', ');
    if (names === this.#told) return;
    this.#told = names;
    if (names === '')
      return this.signs.logger.info({ revision }, 'The stores of the coordinators agree again');
    const facts = { revision, expected, members };
    this.signs.logger.error(facts, `The stores of coordinators differ: ${names}`);
  }

  #reasons(): string[] {
    const { differing, expected, revision } = this.#last ?? { differing: [], expected: null, revision: 0 };
    if (differing.length === 0) return [];
    const what = `the stores of the coordinators differ at revision ${revision}`;
    // Of a majority that agrees each stands as before.
    if (expected === null) return [`${what}, and no majority agrees`];
    const isSelf = differing.some(({ id }) => this.comparison.isSelf(id));
    return isSelf ? [`${what}: this one is corrupt`] : [];
  }
}

@Injectable()
export class StoreGuardMetrics {
  constructor(registry: Registry, guard: StoreGuard, alarms: CorruptionAlarms) {
    const figures = new ReadFigures(registry, 'ringleader_coordinator_');
    const compared = 'The revision at which the stores of all members were last compared';
    figures.gauge('store_compared_revision', compared, () => guard.last?.revision ?? 0);
    const differing = 'Members whose store differed from that of the majority in the last comparison';
    figures.gauge('store_differing_members', differing, () => guard.last?.differing.length ?? 0);
    const corrupt = 'Members of the group that were found corrupt';
    figures.gauge('corrupt_members', corrupt, () => alarms.list().length);
  }
}
