import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Service } from './services.js';

/** What runs at this moment, for programs: `<data>/cluster.json`, replaced whole at every change. */
export interface ClusterState {
  readonly formatVersion: 1;
  readonly status: 'starting' | 'healthy' | 'degraded' | 'stopping';
  /** The process that supervises all others. */
  readonly supervisorPid: number;
  readonly startedAt: string;
  /** Of every nats-server, with commas between. */
  readonly natsUrl: string;
  readonly gatewayUrls: readonly string[];
  readonly processes: readonly ProcessState[];
}

export interface ProcessState {
  readonly service: Service;
  readonly member: string;
  /** Null while the process does not run. */
  readonly pid: number | null;
  /** Tells this process from a later one with the same id. */
  readonly identity: string | null;
  /** Null for what listens on a Unix socket only. */
  readonly port: number | null;
  readonly url: string;
  readonly log: string;
  readonly restarts: number;
}

const FILE = 'cluster.json';

/** Writes follow each other; while one is under way, only the newest of those that wait is kept. */
export class StateFile {
  readonly #path: string;
  #waiting: ClusterState | undefined;
  #writing: Promise<void> | undefined;

  constructor(
    folder: string,
    private readonly failed: (error: Error) => void,
  ) {
    this.#path = join(folder, FILE);
  }

  write(state: ClusterState): void {
    this.#waiting = state;
    this.#writing ??= this.#drain()
      .catch(this.failed)
      .finally(() => {
        this.#writing = undefined;
      });
  }

  async flushed(): Promise<void> {
    await this.#writing;
  }

  async #drain(): Promise<void> {
    while (this.#waiting !== undefined) {
      const state = this.#waiting;
      this.#waiting = undefined;
      // It names the databases' passwords: for the owner's eyes.
      await writeFile(`${this.#path}.new`, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
      await rename(`${this.#path}.new`, this.#path);
    }
  }
}

export async function readClusterState(folder: string): Promise<ClusterState> {
  return JSON.parse(await readFile(join(folder, FILE), 'utf8')) as ClusterState;
}
