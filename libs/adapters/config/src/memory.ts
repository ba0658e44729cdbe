/**
 * What a process may take in memory, by the limit that its container has. Without one, as on a laptop, budgets are what
 * they are by default.
 */
import { totalmem } from 'node:os';

const MIB = 1024 * 1024;

/** Of the control group (v1 or v2); null when there is none, or one beyond what the machine has. */
export function memoryLimitBytes(
  constrained: number = process.constrainedMemory(),
  total: number = totalmem(),
): number | null {
  // Without a limit it is 0, or what a 64-bit counter can hold.
  return constrained > 0 && constrained < total ? constrained : null;
}

export interface Budget {
  /** Of the limit. */
  readonly share: number;
  readonly minMib: number;
  readonly maxMib: number;
  /** Without a limit. */
  readonly elseMib: number;
}

/** A default for a setting in bytes. */
export function budgetBytes(budget: Budget, limit: number | null = memoryLimitBytes()): number {
  const { share, minMib, maxMib, elseMib } = budget;
  if (limit === null) return elseMib * MIB;
  return Math.floor(Math.min(maxMib * MIB, Math.max(minMib * MIB, limit * share)));
}
