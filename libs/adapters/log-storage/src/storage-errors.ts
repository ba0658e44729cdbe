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
    `The log is corrupt in ${file} at byte ${String(offset)}: ${reason}. Keep the directory for analysis. If all other members ` +
      `are up and one of them leads, start this member with an empty data directory, and it will be sent everything; ` +
      `never do that to two members at a time. Else restore the directory from a copy.`,
    { file, offset, reason },
  );
}

/** A failed write or sync is never tried again: the kernel may have thrown the dirty pages away and report success next time. */
export function failedStorage(action: string, directory: string, cause: unknown): OperationalError {
  const code = errorCode(cause);
  const what = code === 'ENOSPC' ? 'the disk is full' : `the disk reported ${code ?? String(cause)}`;
  return new OperationalError(
    'STORAGE_FAILED',
    `The log in ${directory} cannot be kept because ${what} (${action}); the process must end, and may start again when that is mended.`,
    { action, directory, code },
    { cause },
  );
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
