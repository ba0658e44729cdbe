/** How `ringleader local` asks for a coordinator: by a file, so that whatever process has the supervisor's id by then is not disturbed. */
import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Say } from './supervisor.js';

const POLL_MS = 250;
/** The names of the files: for one more, or for another in the place of one. */
const REQUEST = /^(?:add-coordinator|replace-coordinator-([1-9]))$/;

export interface CoordinatorRequestsOptions {
  readonly folder: string;
  readonly say: Say;
  /** Before, requests wait. */
  readonly isReady: () => boolean;
  /** Null: at a seat that is free. */
  readonly join: (seat: number | null) => Promise<void>;
}

export class CoordinatorRequests {
  readonly #timer: NodeJS.Timeout;
  #isAnswering = false;

  constructor(private readonly options: CoordinatorRequestsOptions) {
    this.#timer = setInterval(() => void this.#look(), POLL_MS).unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    const { folder, say, isReady } = this.options;
    if (this.#isAnswering || !isReady()) return;
    this.#isAnswering = true;
    let taken: string | null = null;
    try {
      const request = (await readdir(folder)).find((name) => REQUEST.test(name));
      if (request === undefined) return;
      // Who asks waits for its end; a starter that dies meanwhile does not do it again.
      taken = join(folder, `${request}.taken`);
      await rename(join(folder, request), taken);
      const [, seat] = REQUEST.exec(request) ?? [];
      await this.options.join(seat === undefined ? null : Number(seat));
    } catch (error) {
      say(`✗ no coordinator could be added: ${(error as Error).message}`);
    } finally {
      if (taken !== null) await rm(taken, { force: true });
      this.#isAnswering = false;
    }
  }
}
