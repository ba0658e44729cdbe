#!/usr/bin/env node
import { CommanderError } from 'commander';
import { CliFailure, EXIT, closed, formatOf } from './failure.js';
import { program } from './program.js';

const format = formatOf(process.argv.slice(2));
const fail = (failure: CliFailure): void => console.error(failure.line(format));

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // A reader that has seen enough (`| head`) is no failure.
  if (error.code === 'EPIPE') process.exit(EXIT.ok);
  fail(new CliFailure(`Standard output cannot be written: ${error.message}.`));
  process.exit(EXIT.failed);
});

try {
  await program(format).parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Help and version are asked for; everything else has been said by commander where it is said in text.
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    if (format === 'json' && error.exitCode !== 0) fail(usageFailure(error));
  } else if (error instanceof CliFailure) {
    fail(error);
    process.exitCode = error.exitCode;
  } else {
    throw error;
  }
}

/** Without a command commander shows its help, and has no sentence of its own. */
function usageFailure({ code, message }: CommanderError): CliFailure {
  const sentence = code === 'commander.help' ? 'There is no command: --help lists them' : message;
  return new CliFailure(closed(sentence.replace(/^error: /, '')), { exitCode: EXIT.usage });
}
