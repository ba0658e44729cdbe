/** The bootstrap cannot go on, for a reason a person can do something about: one sentence, and perhaps the output of a tool. */
export class Failure extends Error {
  constructor(sentence, output = '') {
    super(sentence);
    this.name = 'Failure';
    this.output = output;
  }
}

/** Runs `action`; a Failure becomes its sentence on standard error and a non-zero exit code. */
export async function reportingFailures(action) {
  try {
    process.exitCode = await action();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (error.output !== '') console.error(error.output.trimEnd());
    console.error(`Ringleader cannot start. ${error.message}`);
    process.exitCode = 1;
  }
}
