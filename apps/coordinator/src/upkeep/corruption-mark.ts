/**
 * A coordinator whose store differs from that of the majority ends, and this file in its data folder keeps it from starting
 * again: what it has on disk is not what the group decided, and nothing that it would say, send or vote can be trusted.
 */
import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { OperationalError, coordinatorName } from '@ringleader/contracts';
import { corruptLog, failedStorage } from '@ringleader/log-storage';

export interface Corruption {
  readonly seat: number;
  readonly revision: number;
  /** Null: it never came to a revision that all others have. */
  readonly hash: string | null;
  readonly expected: string;
}

const FILE = 'store-corrupt.json';

/** Durable when it resolves. */
export async function markCorrupt(dataFolder: string, corruption: Corruption): Promise<void> {
  const path = join(dataFolder, FILE);
  const file = await open(`${path}.partial`, 'w');
  try {
    await file.writeFile(`${JSON.stringify(corruption)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.partial`, path);
  const folder = await open(dataFolder, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Throws STORE_CORRUPT where the folder is marked. */
export async function refuseCorrupt(dataFolder: string): Promise<void> {
  const path = join(dataFolder, FILE);
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw failedStorage(`reading ${FILE}`, dataFolder, error);
  });
  if (text !== null) throw storeCorrupt(corruptionIn(text, path));
}

function corruptionIn(text: string, path: string): Corruption {
  try {
    return JSON.parse(text) as Corruption;
  } catch {
    throw corruptLog({ file: path, offset: 0, reason: 'it is not what was written there' });
  }
}

export function storeCorrupt({ seat, revision, hash, expected }: Corruption): OperationalError {
  const name = coordinatorName(seat);
  return new OperationalError(
    'STORE_CORRUPT',
    `The store of ${name} differs from that of the majority: at revision ${revision} its hash is ${hash ?? 'none'}, theirs is ${expected}. ` +
      `Keep a copy of its data folder for whoever looks into it, empty the folder, start ${name} with RINGLEADER_BOOTSTRAP=join, then \`ringleader coordinator replace ${name}\``,
    { seat, revision, hash, expected },
  );
}
