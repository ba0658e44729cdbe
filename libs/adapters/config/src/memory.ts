/**
 * What a process may take in memory: RINGLEADER_MEMORY_MIB, or else the limit that its container has. Without either, as on a
 * laptop, budgets are what they are by default. Nothing is imported here but Node's own: a process that has to begin
 * anew with a smaller heap finds out before it loads anything else (`process-memory.ts`).
 */
import { totalmem } from 'node:os';

const MIB = 1024 * 1024;

export const MEMORY_VARIABLE = 'RINGLEADER_MEMORY_MIB';
/** Below this a process would do nothing but collect garbage: its code and its libraries are the larger part of it. */
export const MEMORY_MIB_MIN = 192;
export const MEMORY_MIB_MAX = 1024 * 1024;

/** Of the control group (v1 or v2); null when there is none, or one beyond what the machine has. */
export function memoryLimitBytes(
  constrained: number = process.constrainedMemory(),
  total: number = totalmem(),
): number | null {
  // Without a limit it is 0, or what a 64-bit counter can hold.
  return constrained > 0 && constrained < total ? constrained : null;
}

/** What is set goes before what the container has; a setting that is no number is reported by whoever reads all of them. */
export function memoryBytes(
  environment: Readonly<Record<string, string | undefined>>,
  limit: number | null = memoryLimitBytes(),
): number | null {
  const setting = environment[MEMORY_VARIABLE] ?? '';
  return /^\d+$/.test(setting) ? Number(setting) * MIB : limit;
}

export interface Budget {
  /** Of the memory of the process. */
  readonly share: number;
  readonly minMib: number;
  readonly maxMib: number;
  /** Without a limit. */
  readonly elseMib: number;
}

/** A default for a setting in bytes. */
export function budgetBytes(budget: Budget, memory: number | null): number {
  const { share, minMib, maxMib, elseMib } = budget;
  if (memory === null) return elseMib * MIB;
  return Math.floor(Math.min(maxMib * MIB, Math.max(minMib * MIB, memory * share)));
}

const HEAP_SHARE = 1 / 2;
/** V8 has three half spaces of this size for what is new: the larger, the fewer collections. */
const SEMI_SPACE_SHARE = 1 / 16;
/** Node's own default. */
const SEMI_SPACE_MIB_MAX = 32;
/**
 * V8 lets a heap that may become large grow to four times what lives before it collects all of it, and one that is limited to
 * 256 MiB to one and a third: that many more collections cost half as much CPU again in batches. The limit holds all the same.
 */
const GROWING_PERCENT = 300;

/** V8's settings for a process that may take so much; none without a limit. */
export function heapFlags(memory: number | null): readonly string[] {
  if (memory === null) return [];
  const mib = memory / MIB;
  // A power of two: V8 rounds to one.
  const semiSpace = 2 ** Math.floor(Math.log2(Math.max(1, mib * SEMI_SPACE_SHARE)));
  return [
    `--max-old-space-size=${Math.floor(mib * HEAP_SHARE)}`,
    `--max-semi-space-size=${Math.min(SEMI_SPACE_MIB_MAX, semiSpace)}`,
    `--heap-growing-percent=${GROWING_PERCENT}`,
  ];
}
