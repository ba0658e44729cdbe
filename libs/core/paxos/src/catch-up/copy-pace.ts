/**
 * At which pace a leader gives rows away to copies (docs/PROTOCOL.md 6.7). A bucket of bytes, from which each page is
 * taken, bounds all copies together; and while users wait for this shard, pages are small and come one by one, each after
 * a pause that is a multiple of what the last one took the storage: so that copies get a share of it, whatever it can do.
 * The share is less on a crowded machine: what a page costs besides, at both ends and between them, is taken from users
 * there. How late this process gets to run tells. No pause is longer than `PAUSE_MS_MAX`: a copy always goes on. Nothing
 * here decides what is safe.
 */

/** A page of a copy that waits for its turn: to be read with at most so many bytes. */
export type StartPage = (bytesMax: number) => void;

/** What can be given at once after an idle time, in seconds of the rate. */
const BURST_SECONDS = 0.25;
/** So many pages are a second's worth, where the rate allows no full ones. */
const PAGES_PER_SECOND = 8;
const PAGE_BYTES_MIN = 65_536;
/** While users wait: where this process runs when it wants to, and on a crowded machine. */
const POLITE_PAGE_BYTES = { calm: 131_072, crowded: 32_768 };
/** Copies then take one part in so many, and one, of the storage's time. */
const PAUSE_TIMES = { calm: 3, crowded: 24 };
const PAUSE_MS_MIN = 4;
const PAUSE_MS_MAX = 125;
/**
 * By how much heartbeats are late on the average: timers by themselves about 1 ms, with all cores busy from 2.5 ms on. One
 * of them says little, however late it is.
 */
const LATE_MS = { calm: 1.25, crowded: 2.5, most: 20 };
const LATE_WEIGHT = 1 / 16;
/** For others, who go by it for minutes: one heartbeat, however late, is no sign. */
const LATE_FOR_LONG_WEIGHT = 1 / 64;
/** Without any copy for so long, the next one begins as on a crowded machine: what copies do to this one is not known. */
const FORGOTTEN_AFTER_MS = 5_000;
/** As long as this after the last of their requests users may be about to send the next. */
const USERS_LINGER_MS = 250;

export class CopyPace {
  private bytesPerSecond = Number.POSITIVE_INFINITY;
  private tokens = 0;
  private filledAt: number;
  private readonly waiting: StartPage[] = [];
  private underWay = 0;
  private resumesAt = Number.NEGATIVE_INFINITY;
  private usersAt = Number.NEGATIVE_INFINITY;
  private lateMs = 0;
  private lateForLongMs = 0;
  private gaveWayAt: number | null = null;
  /** On top of it, while it is not known what copies do to this machine. */
  private cautionMs = 0;
  private endedAt = Number.NEGATIVE_INFINITY;

  constructor(
    startedAt: number,
    private readonly pageBytesMax: number,
  ) {
    this.filledAt = startedAt;
  }

  setRate(bytesPerSecond: number, now: number): void {
    this.fill(now);
    this.bytesPerSecond = bytesPerSecond;
    this.tokens = Math.min(this.tokens, this.burst);
  }

  /** A user's request, or rows of one, came by. */
  sawUsers(now: number): void {
    this.usersAt = now;
  }

  /** At every heartbeat, by how much it was late. */
  beat(lateByMs: number, now: number): void {
    const late = Math.min(lateByMs, LATE_MS.most);
    this.lateMs += (late - this.lateMs) * LATE_WEIGHT;
    this.lateForLongMs += (late - this.lateForLongMs) * LATE_FOR_LONG_WEIGHT;
    if (this.isPolite(now) && this.lateForLongMs > LATE_MS.calm) this.gaveWayAt = now;
    this.cautionMs -= this.cautionMs * LATE_WEIGHT;
  }

  /** In whole milliseconds, since users last waited here on so crowded a machine that copies get less than their share; null: never. */
  quietMs(now: number): number | null {
    return this.gaveWayAt === null ? null : Math.floor(now - this.gaveWayAt);
  }

  add(start: StartPage): void {
    this.waiting.push(start);
  }

  /** Starts whatever may begin now. */
  start(now: number): void {
    this.fill(now);
    while (this.next() <= now) {
      const page = this.waiting.shift();
      if (page === undefined) return;
      const isKnown = this.underWay > 0 || now < this.endedAt + FORGOTTEN_AFTER_MS;
      if (!isKnown) this.cautionMs = Math.max(this.cautionMs, LATE_MS.crowded - this.lateMs);
      const bytes = this.pageBytes(now);
      this.tokens -= bytes;
      this.underWay += 1;
      page(bytes);
    }
  }

  /** A page of which at most `bytesMax` were reckoned with had so many; 0 where it was not read after all. */
  ended(page: { bytesMax: number; bytes: number; tookMs: number }, now: number): void {
    this.fill(now);
    this.endedAt = now;
    this.underWay -= 1;
    this.tokens = Math.min(this.burst, this.tokens + page.bytesMax - page.bytes);
    if (!this.isPolite(now)) return;
    const pauseMs = Math.min(
      Math.max(page.tookMs * this.byCrowding(PAUSE_TIMES), PAUSE_MS_MIN),
      PAUSE_MS_MAX,
    );
    this.resumesAt = now + pauseMs;
  }

  /** Given away outside of pages, without waiting. */
  spend(bytes: number, now: number): void {
    this.fill(now);
    this.tokens -= bytes;
  }

  /** When `start` is to be called next; Infinity where nothing waits, or only for what is under way. */
  next(): number {
    if (this.waiting.length === 0) return Number.POSITIVE_INFINITY;
    if (this.isPolite(this.filledAt) && this.underWay > 0) return Number.POSITIVE_INFINITY;
    const filled =
      this.tokens >= 0 || this.bytesPerSecond === Number.POSITIVE_INFINITY
        ? Number.NEGATIVE_INFINITY
        : this.filledAt + (-this.tokens / this.bytesPerSecond) * 1_000;
    return Math.max(filled, this.resumesAt);
  }

  /** As much as a page may have now, in whole bytes. */
  pageBytes(now: number): number {
    const share = Math.max(PAGE_BYTES_MIN, this.bytesPerSecond / PAGES_PER_SECOND);
    const polite = this.isPolite(now) ? this.byCrowding(POLITE_PAGE_BYTES) : share;
    return Math.floor(Math.min(this.pageBytesMax, share, polite));
  }

  private isPolite(now: number): boolean {
    return now < this.usersAt + USERS_LINGER_MS;
  }

  private byCrowding({ calm, crowded }: { readonly calm: number; readonly crowded: number }): number {
    const share = (this.lateMs + this.cautionMs - LATE_MS.calm) / (LATE_MS.crowded - LATE_MS.calm);
    return calm + (crowded - calm) * Math.min(Math.max(share, 0), 1);
  }

  private get burst(): number {
    return this.bytesPerSecond * BURST_SECONDS;
  }

  private fill(now: number): void {
    const seconds = Math.max(0, now - this.filledAt) / 1_000;
    this.filledAt = Math.max(this.filledAt, now);
    if (this.bytesPerSecond === Number.POSITIVE_INFINITY) this.tokens = 0;
    else this.tokens = Math.min(this.burst, this.tokens + seconds * this.bytesPerSecond);
  }
}
