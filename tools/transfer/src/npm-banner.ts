import { createWriteStream, fstatSync, ftruncateSync, readFileSync } from 'node:fs';
import { TransferError } from './transfer-error.js';

/** What `npm run export` writes to standard output before the script begins, unless it is told to be silent. */
const BANNER = /^\n> \S+ export\n> [^\n]*\n\n$/;
const BANNER_BYTES_MAX = 65_536;
const STDOUT = 1;

export interface NpmEnvironment {
  readonly npm_lifecycle_event?: string;
  readonly npm_config_loglevel?: string;
}

function isInTheWay({ npm_lifecycle_event: script, npm_config_loglevel: level }: NpmEnvironment): boolean {
  return script === 'export' && level !== 'silent' && fstatSync(STDOUT).isFile();
}

/** The file's own text, through another descriptor: ours can only write. Empty where the system has no such path. */
function textOfOutput(): string {
  if (fstatSync(STDOUT).size > BANNER_BYTES_MAX) return '';
  try {
    return readFileSync(`/proc/self/fd/${STDOUT}`, 'utf8');
  } catch {
    return '';
  }
}

/**
 * The stream for `npm run export > file`. npm's banner stands in that file already and would be the first lines of the
 * export: where it is all that stands there, it is removed; otherwise the export is refused.
 */
export function standardOutput(environment: NpmEnvironment): NodeJS.WritableStream {
  if (!isInTheWay(environment)) return process.stdout;
  if (!BANNER.test(textOfOutput())) {
    throw new TransferError(
      'npm has written lines of its own into the output: use npm run export -- --output <file>, or npm run --silent export > <file>.',
    );
  }
  ftruncateSync(STDOUT, 0);
  // The descriptor's position is behind the banner: writes name their own.
  return createWriteStream('', { fd: STDOUT, start: 0, autoClose: false });
}
