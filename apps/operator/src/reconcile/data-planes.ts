/** The connections to all clusters, each made again when what it was made with has changed. */
import type { Logger } from '@ringleader/observability';
import type { DataPlaneSeen } from '../planning/types.js';
import type { Credentials } from './credentials.js';
import { DataPlane } from './data-plane.js';
import type { Coordinators } from './data-plane.js';

interface Entry {
  readonly plane: DataPlane | null;
  readonly access: string;
  readonly credentials: Credentials;
}

export class DataPlanes {
  readonly #entries = new Map<string, Entry>();

  constructor(
    private readonly member: string,
    private readonly logger: Logger,
    private readonly onChange: (cluster: string) => void,
  ) {}

  async know(key: string, cluster: string, credentials: Credentials): Promise<void> {
    const { access } = credentials;
    const known = this.#entries.get(key);
    const text = JSON.stringify(access);
    if (known?.access === text) {
      this.#entries.set(key, { ...known, credentials });
      return;
    }
    await known?.plane?.close();
    const { member, logger } = this;
    const onChange = (): void => this.onChange(key);
    const plane =
      access === null
        ? null
        : new DataPlane({ cluster, member, access, onChange, logger: logger.child({ cluster: key }) });
    this.#entries.set(key, { plane, access: text, credentials });
  }

  /** As they were last known: of a cluster that is left alone. */
  hashes(key: string): Credentials['hashes'] {
    return this.#entries.get(key)?.credentials.hashes ?? {};
  }

  /** Secrets with certificates. */
  certificates(key: string): readonly string[] {
    return Object.keys(this.#entries.get(key)?.credentials.expiresAtMs ?? {});
  }

  observe(key: string): Promise<DataPlaneSeen | null> {
    return this.#entries.get(key)?.plane?.observe() ?? Promise.resolve(null);
  }

  coordinators(key: string): Coordinators | null {
    return this.#entries.get(key)?.plane?.coordinators ?? null;
  }

  async forget(key: string): Promise<void> {
    const entry = this.#entries.get(key);
    this.#entries.delete(key);
    await entry?.plane?.close();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#entries.keys()].map((key) => this.forget(key)));
  }
}
