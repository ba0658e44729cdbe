/**
 * What most failure detectors say of the members, as the coordinators' leader tallied it, kept up to date. Whoever is not
 * among those that were ever doubted is alive.
 */
import { VERDICTS_PREFIX, verdictKey, verdictRecordSchema } from '@ringleader/contracts';
import type { OperationalError, Service, VerdictRecord } from '@ringleader/contracts';
import type { Clock } from '@ringleader/primitives';
import type { Coordinator } from './coordination-client.js';
import { readChange } from './metadata.js';
import { PrefixMirror, type MirrorChange } from './prefix-mirror.js';

export interface VerdictMirrorOptions {
  readonly client: Coordinator;
  readonly clock: Clock;
  readonly onTrouble?: (error: OperationalError) => void;
}

/** Told after the mirror knows it, once for each revision. */
export type VerdictListener = (changed: readonly VerdictChange[]) => void;

export interface VerdictChange {
  readonly service: Service;
  readonly id: string;
  /** Alive, too, where the record is gone. */
  readonly verdict: VerdictRecord['verdict'];
}

export class VerdictMirror {
  readonly #mirror: PrefixMirror;
  readonly #records = new Map<string, VerdictRecord>();
  readonly #listeners = new Set<VerdictListener>();

  constructor({ client, clock, onTrouble }: VerdictMirrorOptions) {
    this.#mirror = new PrefixMirror({
      client,
      clock,
      prefix: VERDICTS_PREFIX,
      onChange: (change) => this.#take(change, onTrouble),
      ...(onTrouble && { onTrouble }),
    });
  }

  /** Null for a member that was never doubted. */
  record(service: Service, id: string): VerdictRecord | null {
    return this.#records.get(verdictKey(service, id)) ?? null;
  }

  verdict(service: Service, id: string): VerdictRecord['verdict'] {
    return this.record(service, id)?.verdict ?? 'alive';
  }

  /** How long ago a coordinator last said that no verdict was missing here; null before the first. */
  stalenessMs(): number | null {
    return this.#mirror.stalenessMs();
  }

  /** Returns the way to unsubscribe. */
  onChange(listener: VerdictListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Settles once a coordinator was heard. */
  start(): Promise<void> {
    return this.#mirror.start();
  }

  stop(): void {
    this.#mirror.stop();
  }

  #take(change: MirrorChange, onUnreadable: VerdictMirrorOptions['onTrouble']): void {
    const { puts, deletes } = readChange(verdictRecordSchema, change, onUnreadable);
    const changed: VerdictChange[] = [];
    for (const key of deletes) {
      const gone = this.#records.get(key);
      this.#records.delete(key);
      if (gone !== undefined) changed.push({ service: gone.service, id: gone.id, verdict: 'alive' });
    }
    for (const { key, value: record } of puts) {
      this.#records.set(key, record);
      changed.push({ service: record.service, id: record.id, verdict: record.verdict });
    }
    for (const listener of this.#listeners) listener(changed);
  }
}
