#!/usr/bin/env node
import { CommanderError } from 'commander';
import { CliFailure, EXIT } from './failure.js';
import { program } from './program.js';

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // A reader that has seen enough (`| head`) is no failure.
  if (error.code === 'EPIPE') process.exit(EXIT.ok);
  console.error(`Standard output cannot be written: ${error.message}.`);
  process.exit(EXIT.failed);
});

try {
  await program().parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Help and version are asked for; everything else has been said by commander.
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  } else if (error instanceof CliFailure) {
    console.error(error.message);
    process.exitCode = error.exitCode;
  } else {
    throw error;
  }
}
