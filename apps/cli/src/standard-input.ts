import { fstatSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { CliFailure, EXIT } from './failure.js';

/** What Node cannot read as a stream (a folder, a disk) it gives out as an input that is empty. */
export function standardInput(descriptor = 0): Readable {
  const status = fstatSync(descriptor);
  if (status.isFile() || status.isFIFO() || status.isSocket() || status.isCharacterDevice()) {
    return process.stdin;
  }
  const what = status.isDirectory() ? 'is a folder' : 'cannot be read as a stream';
  throw new CliFailure(`Standard input ${what}.`, { exitCode: EXIT.usage });
}
