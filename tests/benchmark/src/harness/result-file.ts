import { access, constants, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { StartError } from '@ringleader/server-processes';

/** What takes an hour to be measured is not to be lost at its end. */
export async function checkWritable(file: string | undefined): Promise<void> {
  if (file === undefined) return;
  const cannot = (why: string, cause?: unknown): StartError =>
    new StartError(`${file} cannot be written: ${why}.`, { cause });
  const found = await stat(file).catch(() => null);
  if (found?.isDirectory() === true) throw cannot('it is a folder');
  await access(found === null ? dirname(file) : file, constants.W_OK).catch((cause: Error) => {
    throw cannot(cause.message, cause);
  });
}
