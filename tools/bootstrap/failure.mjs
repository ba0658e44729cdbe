/** The bootstrap cannot go on, for a reason a person can do something about: one sentence, and perhaps the output of a tool. */
export class Failure extends Error {
  constructor(sentence, output = '') {
    super(sentence);
    this.name = 'Failure';
    this.output = output;
  }
}

const ELSEWHERE = 'permission is denied; use a clone in a folder of your own';
/** Why the system refuses a file, by its code, in the words of a person. */
const REFUSALS = {
  EACCES: ELSEWHERE,
  EPERM: ELSEWHERE,
  EROFS: 'the file system is read-only; use a clone on another one',
  ENOSPC: 'the disk is full; make room',
  EDQUOT: 'the disk quota is used up',
};

/** The sentence for a file that was refused, from an error or from what a tool said about one; or undefined. */
export function refusalOf({ code, path, message }) {
  const named = Object.keys(REFUSALS).find((it) => it === code || message.includes(it));
  if (named === undefined) return undefined;
  const place = path ?? new RegExp(`${named}[^\\n]*?'([^'\\n]+)'`).exec(message)?.[1];
  return `${place ?? 'A file'}: ${REFUSALS[named]}.`;
}

/** Runs `action`; a Failure becomes its sentence, after one that says `what` failed, on standard error and a non-zero exit code. */
export async function reportingFailures(what, action) {
  try {
    process.exitCode = await action();
  } catch (error) {
    const refusal = error.syscall === undefined ? undefined : refusalOf(error);
    if (!(error instanceof Failure) && refusal === undefined) throw error;
    if (error.output) console.error(error.output.trimEnd());
    console.error(`${what}. ${refusal ?? error.message}`);
    process.exitCode = 1;
  }
}
