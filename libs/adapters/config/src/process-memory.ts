/**
 * Holds the process to its memory. V8 takes the size of its heap when it starts and never again, so a process that was
 * started without (`node dist/main.js` in a container) replaces itself, once: same process, same environment, but for V8's
 * settings and the number of malloc's arenas. To be imported before anything that is large.
 */
import { heapFlags, memoryBytes } from './memory.js';

/** Each thread has an arena of its own otherwise, which gives nothing back: V8's and libuv's have half a dozen. */
export const MALLOC_ARENAS = { MALLOC_ARENA_MAX: '2' } as const;

export interface StartedProcess {
  readonly execPath: string;
  readonly execArgv: readonly string[];
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

const HEAP_SETTING = /--max[-_]old[-_]space[-_]size/;

/** The arguments and the environment to begin anew with; null where the process is as it should be. */
export function beginAnew(
  { execPath, execArgv, argv, env }: StartedProcess,
  memory: number | null = memoryBytes(env),
): { readonly args: readonly string[]; readonly env: Record<string, string> } | null {
  const flags = heapFlags(memory);
  const isSet = [...execArgv, env['NODE_OPTIONS'] ?? ''].some((option) => HEAP_SETTING.test(option));
  // Only the first three descriptors outlive it: who gives a lifeline gives the settings, too.
  const lifeline = env['RINGLEADER_LIFELINE_FD'] ?? '';
  if (flags.length === 0 || isSet || lifeline !== '') return null;
  const given = Object.entries(env).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return {
    args: [execPath, ...flags, ...execArgv, ...argv.slice(1)],
    env: { ...MALLOC_ARENAS, ...Object.fromEntries(given) },
  };
}

export function fitProcess(): void {
  const next = beginAnew(process);
  // There is none on Windows, which has no containers' limits either.
  if (next !== null) process.execve?.(process.execPath, [...next.args], next.env);
}
