import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StartError } from './terminal.js';

/** What a data folder was made for. It is written before the first process starts and survives all of them. */
export interface Layout {
  readonly formatVersion: 1;
  readonly coordinators: number;
  readonly shards: number;
  /** With how many shards the first partition map was made. */
  readonly initialShards: number;
  /** The cluster was healthy once: from then on an empty disk of a coordinator is a lost one. */
  readonly isFounded?: boolean;
}

export interface WantedLayout {
  readonly coordinators: number;
  readonly shards: number;
}

/** What to run on a folder that holds `present`, or why not. */
export function nextLayout(present: Layout | undefined, wanted: WantedLayout, folder: string): Layout {
  if (present === undefined) {
    return {
      formatVersion: 1,
      coordinators: wanted.coordinators,
      shards: wanted.shards,
      initialShards: wanted.shards,
    };
  }
  if (wanted.shards < present.shards) {
    throw new StartError(
      `The data in ${folder} were written by ${present.shards} shards and cannot be served by ${wanted.shards}: ` +
        `start with --shards ${present.shards}, or choose another folder with --data.`,
    );
  }
  if (wanted.coordinators !== present.coordinators) {
    throw new StartError(
      `The data in ${folder} belong to ${present.coordinators} coordinators, not ${wanted.coordinators}: ` +
        `start with --coordinators ${present.coordinators}, or choose another folder with --data.`,
    );
  }
  return { ...present, shards: wanted.shards };
}

function isLayout(value: unknown): value is Layout {
  if (typeof value !== 'object' || value === null) return false;
  const { formatVersion, coordinators, shards, initialShards } = value as Record<string, unknown>;
  return formatVersion === 1 && [coordinators, shards, initialShards].every(Number.isInteger);
}

export async function readLayout(folder: string): Promise<Layout | undefined> {
  const text = await readFile(join(folder, 'layout.json'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  let layout: unknown;
  try {
    layout = JSON.parse(text);
  } catch (error) {
    throw new StartError(
      `${join(folder, 'layout.json')} is not readable: choose another folder with --data.`,
      { cause: error },
    );
  }
  if (!isLayout(layout)) {
    throw new StartError(
      `${folder} was written by another version of Ringleader: choose another folder with --data.`,
    );
  }
  return layout;
}

export async function writeLayout(folder: string, layout: Layout): Promise<void> {
  const path = join(folder, 'layout.json');
  await writeFile(`${path}.new`, `${JSON.stringify(layout, null, 2)}\n`, { flush: true });
  await rename(`${path}.new`, path);
}
