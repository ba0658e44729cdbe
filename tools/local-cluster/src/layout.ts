import { replaceFile, StartError } from '@ringleader/server-processes';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

/** What a data folder was made for. It is written before the first process starts and survives all of them. */
const Layout = z.object({
  formatVersion: z.literal(1),
  coordinators: z.int(),
  shards: z.int(),
  /** With how many shards the first partition map was made. */
  initialShards: z.int(),
  /** The cluster was healthy once: from then on an empty disk of a coordinator is a lost one. */
  isFounded: z.boolean().optional(),
  /** Seats of coordinators that were added to the running group, and of those that were removed from it. */
  joined: z.array(z.int()).optional(),
  removed: z.array(z.int()).optional(),
  /** Shards that were added to the running cluster, and numbers of those that were removed from it. */
  addedShards: z
    .array(z.object({ index: z.int(), zone: z.string().optional(), weight: z.number().optional() }))
    .optional(),
  removedShards: z.array(z.int()).optional(),
});
export type Layout = Readonly<z.infer<typeof Layout>>;
export type AddedShard = NonNullable<Layout['addedShards']>[number];

const fileIn = (folder: string): string => join(folder, 'layout.json');

/** What to run on a folder that holds `present`, or why not. */
export function nextLayout(
  present: Layout | undefined,
  { coordinators, shards }: Pick<Layout, 'coordinators' | 'shards'>,
  folder: string,
): Layout {
  if (present === undefined) return { formatVersion: 1, coordinators, shards, initialShards: shards };
  const refusal = (why: string, option: string): StartError => {
    const advice = `start with ${option}, or choose another folder with --data`;
    return new StartError(`The data in ${folder} ${why}: ${advice}.`);
  };
  const { coordinators: had, addedShards = [] } = present;
  // Those that were added while it ran come whatever is asked for, and who was removed is needed no more.
  const wrote = shardsOf(present).length - addedShards.length;
  if (shards < wrote)
    throw refusal(`were written by ${wrote} shards and cannot be served by ${shards}`, `--shards ${wrote}`);
  if (coordinators !== had)
    throw refusal(`belong to ${had} coordinators, not ${coordinators}`, `--coordinators ${had}`);
  return { ...present, shards: Math.max(shards, present.shards) };
}

/** Which coordinators run. */
export function coordinatorSeats({ coordinators, joined = [], removed = [] }: Layout): number[] {
  const seats = new Set([...Array.from({ length: coordinators }, (_, i) => i + 1), ...joined]);
  return [...seats].filter((seat) => !removed.includes(seat));
}

const plus = (present: readonly number[] = [], one: number): number[] => [...minus(present, one), one];
const minus = (present: readonly number[] = [], one: number): number[] =>
  present.filter((other) => other !== one);

export const withJoined = (layout: Layout, seat: number): Layout => ({
  ...layout,
  joined: plus(layout.joined, seat),
  removed: minus(layout.removed, seat),
});

export const withRemoved = (layout: Layout, seat: number): Layout => ({
  ...layout,
  removed: plus(layout.removed, seat),
});

/** Which shards run, with what is special about them. */
export function shardsOf({ shards, addedShards = [], removedShards = [] }: Layout): AddedShard[] {
  const added = new Map(addedShards.map((shard) => [shard.index, shard]));
  const first = Array.from({ length: shards }, (_, i) => i + 1).filter((index) => !added.has(index));
  return [...first.map((index) => ({ index })), ...added.values()]
    .filter(({ index }) => !removedShards.includes(index))
    .sort((a, b) => a.index - b.index);
}

const others = (added: readonly AddedShard[] = [], index: number): AddedShard[] =>
  added.filter((shard) => shard.index !== index);

export const withShard = (layout: Layout, shard: AddedShard): Layout => ({
  ...layout,
  addedShards: [...others(layout.addedShards, shard.index), shard],
  removedShards: minus(layout.removedShards, shard.index),
});

export const withoutShard = (layout: Layout, index: number): Layout => ({
  ...layout,
  addedShards: others(layout.addedShards, index),
  removedShards: plus(layout.removedShards, index),
});

export function readLayout(folder: string): Layout | undefined {
  const file = fileIn(folder);
  if (!existsSync(file)) return undefined;
  try {
    return Layout.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    const what = `${file} cannot be read, or is of another version of Ringleader`;
    throw new StartError(`${what}: choose another folder with --data.`, { cause: error });
  }
}

export function writeLayout(folder: string, layout: Layout): void {
  replaceFile(fileIn(folder), `${JSON.stringify(layout, null, 2)}\n`, { flush: true });
}
