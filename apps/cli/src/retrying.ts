import { ERROR_CATALOGUE, isErrorCode } from '@ringleader/contracts';
import { pauseUnlessAborted } from '@ringleader/timers';
import { Option } from 'commander';
import { integer } from './global-options.js';

const FIRST_MS = 100;
const MAX_MS = 5_000;
const GIVE_UP_SECONDS_MAX = 86_400;

export function giveUpOption(description = 'without any success'): Option {
  return new Option('--give-up-after <seconds>', description)
    .default(120)
    .argParser(integer(1, GIVE_UP_SECONDS_MAX));
}

/**
 * Whether the same request may be sent again. Imports repeat with an idempotency key and exports only read, so
 * "may have been done" is no obstacle; a broken connection and an answer without a code count as that.
 */
export function isWorthRepeating(status: number, code: string | undefined): boolean {
  if (code !== undefined && isErrorCode(code)) return ERROR_CATALOGUE[code].retry !== 'never';
  return status === 0 || status === 429 || status >= 500;
}

/** Waits longer from failure to failure, and gives up when nothing has succeeded for too long. */
export class Patience {
  #waitMs = FIRST_MS;
  #lastSuccess = performance.now();

  constructor(
    private readonly giveUpMs: number,
    private readonly signal: AbortSignal,
  ) {}

  succeeded(): void {
    this.#waitMs = FIRST_MS;
    this.#lastSuccess = performance.now();
  }

  /** False when it is time to give up. Who is told to wait for longer than that tries once more by then. */
  async wait(atLeastMs = 0): Promise<boolean> {
    const leftMs = this.giveUpMs - (performance.now() - this.#lastSuccess);
    if (this.signal.aborted || leftMs < 0) return false;
    const waitMs = Math.min(Math.max(this.#waitMs, atLeastMs), Math.max(1, leftMs));
    this.#waitMs = Math.min(this.#waitMs * 2, MAX_MS);
    return pauseUnlessAborted(waitMs, this.signal);
  }
}
