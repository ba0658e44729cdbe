/**
 * What a program that calls `ringleader` can rely on: one exit code for each kind of outcome. Every failure that a
 * person can do something about is one sentence; anything else is a bug and shows its stack.
 */
export const EXIT = {
  ok: 0,
  /** A failure of another kind: an internal error, a damaged file. */
  failed: 1,
  /** The command line, or what it names, was wrong: the same call never succeeds. */
  usage: 2,
  notFound: 3,
  /** A condition does not hold, or somebody else holds what was asked for. */
  condition: 4,
  /** Nothing was done: the cluster could not be reached, or has too much to do. May be repeated. */
  nothingDone: 5,
  /** A write that may or may not have been done. */
  unknown: 6,
  compacted: 7,
  /** Stopped by Ctrl-C, as shells count it. */
  stopped: 130,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export interface FailureOptions extends ErrorOptions {
  readonly exitCode?: ExitCode;
  /** The stable code of the error catalogue, where the cluster gave one. */
  readonly code?: string;
}

/** The command cannot go on, for a reason the person at the terminal can do something about: one sentence. */
export class CliFailure extends Error {
  override readonly name = 'CliFailure';
  readonly exitCode: ExitCode;
  readonly code: string | undefined;

  constructor(sentence: string, { exitCode = EXIT.failed, code, ...options }: FailureOptions = {}) {
    super(sentence, options);
    this.exitCode = exitCode;
    this.code = code;
  }
}

const BY_STATUS: Readonly<Record<number, ExitCode>> = {
  404: EXIT.notFound,
  409: EXIT.condition,
  410: EXIT.compacted,
  412: EXIT.condition,
  429: EXIT.nothingDone,
  503: EXIT.nothingDone,
};

/** By the status of an answer (docs/ERRORS.md), so that a code that is newer than this program has one too. */
export function exitCodeOf(status: number, code?: string): ExitCode {
  if (code === 'OUTCOME_UNKNOWN') return EXIT.unknown;
  if (code === 'DEADLINE_EXCEEDED') return EXIT.nothingDone;
  if (code === 'ROUTE_NOT_FOUND') return EXIT.usage;
  // Only a gateway can say that there is no such key, and it gives a code.
  if (code === undefined && status === 404) return EXIT.failed;
  const known = BY_STATUS[status];
  if (known !== undefined) return known;
  return status >= 400 && status < 500 ? EXIT.usage : EXIT.failed;
}
