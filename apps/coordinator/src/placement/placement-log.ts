/** What placement did and why, for operators: in the log, and counted. */
import type { Logger } from '@ringleader/observability';
import type { Look, Work } from '@ringleader/placement';

const MS_PER_SECOND = 1_000;

const SENTENCES = {
  learn: 'A partition is being copied to another shard',
  joint: 'A partition is decided on by its old and its new replicas',
  settle: 'A partition has moved',
  abandon: 'A move was taken back',
  lead: 'Another shard is to lead a partition',
} as const satisfies Record<Exclude<Work['kind'], 'places' | 'elapsed'>, string>;

/** What an operator follows; the steps in between are for whoever looks for a fault. */
const TOLD: ReadonlySet<Work['kind']> = new Set(['settle', 'abandon']);

export class PlacementLog {
  /** Of this process, by the kind of step. */
  readonly stepsTotal = new Map<string, number>();
  looksTotal = 0;
  lookSecondsTotal = 0;
  lookSecondsMax = 0;
  targetsTotal = 0;
  /** Of the last look. */
  underWay = 0;
  wanted = 0;
  leaderChanges = 0;
  isBlocked = false;
  #targets = 0;
  #blocked: string | null = null;

  constructor(private readonly logger: Logger) {}

  saw({ plan, places }: Look, tookMs: number, targets: number): void {
    this.looksTotal += 1;
    this.lookSecondsTotal += tookMs / MS_PER_SECOND;
    this.lookSecondsMax = Math.max(this.lookSecondsMax, tookMs / MS_PER_SECOND);
    this.underWay = plan.underWay.length;
    this.wanted = plan.copiesWanted;
    this.leaderChanges = plan.leaderChanges.length;
    const blocked = plan.blocked ?? places.kept[0] ?? null;
    if (targets !== this.#targets) {
      this.#targets = targets;
      this.targetsTotal += 1;
      const { underWay, wanted, leaderChanges } = this;
      const fields = { underWay, wanted, leaderChanges, tookMs: Math.round(tookMs) };
      this.logger.info(fields, 'Planned where partitions belong');
    }
    this.blockedBy(blocked);
  }

  /** Null: by nothing. */
  blockedBy(blocked: string | null): void {
    this.isBlocked = blocked !== null;
    if (blocked === this.#blocked) return;
    this.#blocked = blocked;
    if (blocked === null) this.logger.info('Placement is not blocked any more');
    else this.logger.warn({ why: blocked }, 'Placement is blocked');
  }

  did(work: Work, nameOf: (ordinal: number) => string): void {
    if (work.kind === 'elapsed') return;
    this.stepsTotal.set(work.kind, (this.stepsTotal.get(work.kind) ?? 0) + 1);
    if (work.kind === 'places') {
      for (const change of work.notes) this.logger.info({ ...change }, 'A shard has another place');
      return;
    }
    const { kind, partition, add, remove, why, changes } = work;
    const named = (ordinal: number | null): string | null => (ordinal === null ? null : nameOf(ordinal));
    const epoch = changes.entries[0]?.epoch;
    const fields = { partition, epoch, add: named(add), remove: named(remove), why };
    if (TOLD.has(kind)) this.logger.info(fields, SENTENCES[kind]);
    else this.logger.debug(fields, SENTENCES[kind]);
  }

  /** Another one leads, or this one anew. */
  clear(): void {
    this.#targets = 0;
    this.#blocked = null;
    Object.assign(this, { underWay: 0, wanted: 0, leaderChanges: 0, isBlocked: false });
  }
}
