/**
 * The configurations of the log: that of its base, and one for each configuration entry behind it. The newest is in force from
 * where it is appended, whether it is committed or not, and goes away again when its entry is truncated (thesis 4.1).
 */
import { decodeConfiguration } from '../codec/configuration-codec.js';
import type { MembershipRules } from '../rules.js';
import { type Entry, entryKinds, type LogIndex } from '../types.js';
import type { PlacedConfiguration } from './configuration.js';

export class Configurations {
  /** In the order of the log. The first is that of the base: never removed, only replaced by a later one. */
  #placed: PlacedConfiguration[];

  readonly #isUndone: MembershipRules['isUndone'];

  constructor(base: PlacedConfiguration, { isUndone }: Pick<MembershipRules, 'isUndone'>) {
    this.#placed = [base];
    this.#isUndone = isUndone;
  }

  get newest(): PlacedConfiguration {
    return this.#placed.at(-1)!;
  }

  /** Entries are put at their places; what stood from the first one on goes. */
  put(entries: readonly Entry[]): void {
    const first = entries[0];
    if (first === undefined) return;
    while (this.#placed.length > 1 && this.#isUndone(this.newest.index, first.index)) this.#placed.pop();
    for (const { index, kind, data } of entries) {
      if (kind === entryKinds.configuration) {
        this.#placed.push({ index, configuration: decodeConfiguration(data) });
      }
    }
  }

  /** As of the end of the entry `index`, which is not before the base. */
  at(index: LogIndex): PlacedConfiguration {
    return this.#placed.findLast((placed) => placed.index <= index) ?? this.#placed[0]!;
  }

  /** The log begins after `index`. */
  compact(index: LogIndex): void {
    const kept = this.#placed.filter((placed) => placed.index > index);
    this.#placed = [this.at(index), ...kept];
  }

  /** The log was replaced by a snapshot. */
  restore(base: PlacedConfiguration): void {
    this.#placed = [base];
  }
}
