/**
 * One record of the coordinators, typed, kept up to date. One that this version cannot read changes nothing: what was read
 * last stays, as if it had not come yet. It is told of once for each change, and counts until another one is read.
 */
import type { KeyValue, OperationalError } from '@ringleader/contracts';
import type { Clock } from '@ringleader/primitives';
import type { z } from 'zod';
import type { Coordinator } from './coordination-client.js';
import { readItems } from './metadata.js';
import { PrefixMirror } from './prefix-mirror.js';

export interface RecordMirrorOptions<Schema extends z.ZodType> {
  readonly client: Coordinator;
  readonly clock: Clock;
  readonly key: string;
  readonly schema: Schema;
  /** Null: it is gone. */
  readonly onChange: (record: z.infer<Schema> | null) => void;
  /** Told of every failure to list or watch; the mirror tries again by itself. */
  readonly onTrouble: (error: OperationalError) => void;
  readonly onUnreadable: (error: OperationalError) => void;
}

export class RecordMirror<Schema extends z.ZodType> {
  readonly #mirror: PrefixMirror;
  #modRevision = 0;
  #isUnreadable = false;

  constructor(private readonly options: RecordMirrorOptions<Schema>) {
    const { client, clock, key, onTrouble } = options;
    // Other keys may begin with this one.
    this.#mirror = new PrefixMirror({ client, clock, prefix: key, onChange: () => this.#look(), onTrouble });
  }

  get isUnreadable(): boolean {
    return this.#isUnreadable;
  }

  /** Settles once the coordinator was heard. */
  start(): Promise<void> {
    return this.#mirror.start();
  }

  stop(): void {
    this.#mirror.stop();
  }

  #look(): void {
    const item = this.#mirror.items.get(this.options.key);
    if (item === undefined) this.#take(null, 0);
    else if (item.modRevision !== this.#modRevision) this.#read(item);
  }

  #read(item: KeyValue): void {
    const { schema, onUnreadable } = this.options;
    const [read] = readItems(schema, [item], (error) => {
      this.#modRevision = item.modRevision;
      this.#isUnreadable = true;
      onUnreadable(error);
    });
    if (read !== undefined) this.#take(read.value, item.modRevision);
  }

  #take(record: z.infer<Schema> | null, modRevision: number): void {
    this.#modRevision = modRevision;
    this.#isUnreadable = false;
    this.options.onChange(record);
  }
}
