/** Which failures mean that what a shard's database holds cannot be read: another attempt might serve from what is left of it. */
import { OperationalError } from '@ringleader/contracts';
import type { MonotonicMs } from '@ringleader/primitives';

const DAMAGE: ReadonlySet<unknown> = new Set(['damaged', 'corrupt']);
/** A disk that is out of reach for a moment, as one across a network may be, is not damaged. */
const UNREADABLE_MS = 60_000;
const REMEMBERED_MAX = 1_000;

export class DamageJudge {
  /** When PostgreSQL first said what it could not read: its words name the page. */
  private readonly unreadableSince = new Map<string, MonotonicMs>();

  isDamage(error: unknown, now: MonotonicMs): error is OperationalError {
    if (!(error instanceof OperationalError)) return false;
    const { reason } = error.details;
    return DAMAGE.has(reason) || (reason === 'unreadable' && this.isLasting(error.message, now));
  }

  private isLasting(words: string, now: MonotonicMs): boolean {
    const since = this.unreadableSince.get(words);
    if (since !== undefined) return now - since >= UNREADABLE_MS;
    if (this.unreadableSince.size >= REMEMBERED_MAX) this.unreadableSince.clear();
    this.unreadableSince.set(words, now);
    return false;
  }
}
