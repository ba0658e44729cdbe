/**
 * What a program that calls `ringleader` can rely on: one exit code for each kind of outcome, and with `-o json` one JSON
 * object for each failure. Every failure that a person can do something about is one sentence; anything else is a bug and
 * shows its stack.
 */
import { shown } from './table.js';

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
type FailureCode = Exclude<ExitCode, 0>;

export interface FailureOptions extends ErrorOptions {
  readonly exitCode?: FailureCode;
  /** The stable code of the error catalogue, where the cluster gave one. */
  readonly code?: string;
  /** Of the answer, where there was one. */
  readonly status?: number;
  /** Under which the gateway's log tells more. */
  readonly requestId?: string;
}

export type Format = 'text' | 'json';

/** Of failures that the cluster did not name; those of the error catalogue where they mean the same. */
const CODES: Readonly<Record<FailureCode, string>> = {
  [EXIT.failed]: 'FAILED',
  [EXIT.usage]: 'INVALID_ARGUMENT',
  [EXIT.notFound]: 'KEY_NOT_FOUND',
  [EXIT.condition]: 'PRECONDITION_FAILED',
  [EXIT.nothingDone]: 'UNAVAILABLE',
  [EXIT.unknown]: 'OUTCOME_UNKNOWN',
  [EXIT.compacted]: 'COMPACTED',
  [EXIT.stopped]: 'STOPPED',
};

/** The command cannot go on, for a reason the person at the terminal can do something about: one sentence. */
export class CliFailure extends Error {
  override readonly name = 'CliFailure';
  readonly exitCode: FailureCode;
  readonly code: string | undefined;
  readonly status: number | undefined;
  readonly requestId: string | undefined;

  constructor(sentence: string, { exitCode, code, status, requestId, ...options }: FailureOptions = {}) {
    super(sentence, options);
    this.exitCode = exitCode ?? EXIT.failed;
    this.code = code;
    this.status = status;
    this.requestId = requestId;
  }

  /** A line for standard error; `key` where a command has many, and this is of one. */
  line(format: Format, key?: string): string {
    const { code, message, status, requestId } = this;
    if (format === 'json') {
      return JSON.stringify({ key, code: code ?? CODES[this.exitCode], message, status, requestId });
    }
    const sentence = code === undefined || code === message ? message : `${code}: ${message}`;
    return key === undefined ? sentence : `${shown(key)}: ${sentence}`;
  }
}

/**
 * What `-o` asks for, also where the command line is wrong before it comes to that: how a failure is told must not depend
 * on which option is looked at first.
 */
export function formatOf(args: readonly string[]): Format {
  const end = args.indexOf('--');
  const options = end === -1 ? args : args.slice(0, end);
  const formats = options.flatMap((arg, i) => {
    const before = options[i - 1];
    return before === '-o' || before === '--format' ? arg : (/^(?:-o|--format=)(.+)$/s.exec(arg)?.[1] ?? []);
  });
  return formats.at(-1) === 'json' ? 'json' : 'text';
}

/** Closes what somebody else has said, who may have said it as a sentence. */
export function closed(text: string): string {
  return text.endsWith('.') ? text : `${text}.`;
}

const BY_STATUS: Readonly<Record<number, FailureCode>> = {
  404: EXIT.notFound,
  409: EXIT.condition,
  410: EXIT.compacted,
  412: EXIT.condition,
  429: EXIT.nothingDone,
  503: EXIT.nothingDone,
};

/** By the status of an answer (docs/ERRORS.md), so that a code that is newer than this program has one too. */
export function exitCodeOf(status: number, code?: string): FailureCode {
  if (code === 'OUTCOME_UNKNOWN') return EXIT.unknown;
  if (code === 'DEADLINE_EXCEEDED') return EXIT.nothingDone;
  if (code === 'ROUTE_NOT_FOUND') return EXIT.usage;
  // Only a gateway can say that there is no such key, and it gives a code.
  if (code === undefined && status === 404) return EXIT.failed;
  const known = BY_STATUS[status];
  if (known !== undefined) return known;
  return status >= 400 && status < 500 ? EXIT.usage : EXIT.failed;
}
