import { OperationalError } from '@ringleader/contracts';

export interface CorruptPlace {
  readonly file: string;
  readonly offset: number;
  readonly reason: string;
}

/** Nothing is repaired that could have been acknowledged: a person decides. */
export function corruptLog({ file, offset, reason }: CorruptPlace): OperationalError {
  return new OperationalError(
    'LOG_CORRUPT',
    `The log is corrupt in ${file} at byte ${String(offset)}: ${reason}. Keep the directory, repair the disk, and put back what is ` +
      `damaged exactly as it was when the process ended; ${otherwise}`,
    { file, offset, reason },
  );
}

/** An empty directory, and an older copy of a full one, have forgotten votes and entries that others count on. */
const otherwise =
  'if that is not possible, leave this coordinator stopped: the others go on while they are a majority. ' +
  'Never start it from an older copy, nor from an empty directory but to replace it: ' +
  'with RINGLEADER_BOOTSTRAP=join, then `ringleader coordinator replace`.';

/** There is no log where a member has one: its disk was lost, or it was never one. */
export function missingLog(
  directory: string,
  reason: string,
  details: Readonly<Record<string, unknown>> = {},
): OperationalError {
  return new OperationalError(
    'LOG_MISSING',
    `The log in ${directory} is missing: ${reason}. Put the directory back as it was when the process ended; ${otherwise}`,
    { directory, reason, ...details },
  );
}

/** The directory is in order, and somebody else's. */
export function foreignLog(directory: string, reason: string): OperationalError {
  return new OperationalError(
    'LOG_FOREIGN',
    `The log in ${directory} is another's: ${reason}; give each coordinator the data directory that is its own.`,
    { directory, reason },
  );
}

/** A failed write or sync is never tried again: the kernel may have thrown the dirty pages away and report success next time. */
export function failedStorage(action: string, directory: string, cause: unknown): OperationalError {
  const code = errorCode(cause);
  const what = isOutOfRoom(cause) ? 'the disk is full' : `the disk reported ${code ?? String(cause)}`;
  return new OperationalError(
    'STORAGE_FAILED',
    `The log in ${directory} cannot be kept because ${what} (${action}); the process must end, and may start again when that is mended.`,
    { action, directory, code },
    { cause },
  );
}

/** Also where it is a quota that is used up. */
export function isOutOfRoom(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'ENOSPC' || code === 'EDQUOT';
}

export function logInUse(directory: string, holder: string): OperationalError {
  return new OperationalError(
    'LOG_IN_USE',
    `The log in ${directory} is in use by another process (${holder}); end it, or choose another data directory.`,
    { directory, holder },
  );
}

export function errorCode(error: unknown): string | null {
  if (typeof error !== 'object' || error === null || !('code' in error)) return null;
  return typeof error.code === 'string' ? error.code : null;
}

/** Errors of this adapter pass; those of the system get the sentence a person needs. */
export async function attempt<T>(action: string, directory: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Error && (error.name === 'OperationalError' || error.name === 'InvariantError'))
      throw error;
    throw failedStorage(action, directory, error);
  }
}
