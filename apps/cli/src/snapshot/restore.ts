/** coordinator snapshot restore: the data folders of a new group of coordinators, which begins with a snapshot. */
import { randomUUID } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { NAME_PATTERN, OperationalError, coordinatorName } from '@ringleader/contracts';
import { drawMemberId, makeFolders, openLogStorage, type WriteOutcome } from '@ringleader/log-storage';
import { type MvccStore, snapshotOf } from '@ringleader/mvcc';
import { configurationOf, encodeConfiguration, type Seated } from '@ringleader/raft';
import { CliFailure, EXIT } from '../failure.js';
import { beginAnew } from './restored-store.js';
import { readSnapshotFile } from './snapshot-file.js';

/** Of one coordinator. */
export interface Place {
  readonly seat: number;
  readonly folder: string;
}

export interface RestoreOptions {
  readonly file: string;
  readonly places: readonly Place[];
  /** The name of the cluster; absent: that of the cluster of the snapshot. */
  readonly cluster?: string | undefined;
  /** Also a snapshot from before the first partition map. */
  readonly mayLackMap: boolean;
}

export interface Restored {
  readonly cluster: string;
  readonly clusterId: string;
  /** Of the snapshot, and with which the new group begins. */
  readonly snapshotRevision: number;
  readonly revision: number;
  readonly coordinators: readonly { readonly name: string; readonly id: string; readonly folder: string }[];
}

/** Where the log of a coordinator stands in its data folder. */
const LOG_FOLDER = 'raft';
const OWNER_ONLY = 0o700;
/** At the root of each new volume of ext4. */
const OF_FILE_SYSTEM = 'lost+found';
/** All begin with the same snapshot, as if the entry before everything had been this store. */
const BEGINNING = { index: 1, term: 1 };

export async function restore(options: RestoreOptions): Promise<Restored> {
  const { file, places, mayLackMap } = options;
  refuseOddPlaces(places);
  refuseOddName(options.cluster);
  for (const place of places) await refuseUsed(place);
  const { header, store } = await readSnapshotFile(file);
  const outcome = beginAnew(store, { clusterId: randomUUID(), mayLackMap });
  if (outcome.kind !== 'restored') throw refusalOf(outcome, file);
  const founders = places.map(({ seat }) => ({ seat, id: drawMemberId() }));
  const cluster = options.cluster ?? header.cluster;
  const written: Place[] = [];
  try {
    for (const [i, place] of places.entries()) {
      // By now also where it is the folder of one before under another name: a link, a mount.
      await refuseUsed(place);
      written.push(place);
      await writeMember(place.folder, { cluster, self: founders[i]!, founders }, store);
    }
  } catch (error) {
    // A part of a group must not be started.
    for (const { folder } of written) await rm(join(folder, LOG_FOLDER), { recursive: true, force: true });
    throw unwritten(error, written.at(-1)?.folder);
  }
  return {
    cluster,
    clusterId: outcome.clusterId,
    snapshotRevision: header.revision,
    revision: outcome.revision,
    coordinators: places.map(({ seat, folder }, i) => {
      return { name: coordinatorName(seat), id: String(founders[i]!.id), folder: resolve(folder) };
    }),
  };
}

function refuseOddPlaces(places: readonly Place[]): void {
  const seats = new Set(places.map(({ seat }) => seat));
  const folders = new Set(places.map(({ folder }) => resolve(folder)));
  const isNested = [...folders].some((inner) => [...folders].some((outer) => inner.startsWith(outer + sep)));
  const isEachOnce = seats.size === places.length && folders.size === places.length;
  if (places.length > 0 && isEachOnce && !isNested) return;
  throw new CliFailure('Name each coordinator once with --data-dir, and a folder of its own for each.', {
    exitCode: EXIT.usage,
  });
}

/** With which no coordinator would start. */
function refuseOddName(cluster: string | undefined): void {
  if (cluster === undefined || NAME_PATTERN.test(cluster)) return;
  const detail = `The name of a cluster has lower-case letters, digits and hyphens, unlike ${JSON.stringify(cluster)}.`;
  throw new CliFailure(detail, { exitCode: EXIT.usage });
}

/** A member that there is would forget what it promised. */
async function refuseUsed({ seat, folder }: Place): Promise<void> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw new CliFailure(`${folder} cannot be read: ${error.message}.`, { cause: error });
  });
  if (names.every((name) => name === OF_FILE_SYSTEM)) return;
  const detail = `The data folder of ${coordinatorName(seat)}, ${folder}, is not empty: a snapshot is restored into empty folders, all of one new group at once.`;
  throw new CliFailure(detail, { code: 'ALREADY_SO', exitCode: EXIT.condition });
}

function refusalOf(outcome: { readonly kind: string; readonly reason?: string }, file: string): CliFailure {
  const detail =
    outcome.kind === 'withoutMap'
      ? `${file} was taken before the cluster had its first partition map: a new group would make another, which shards that have one would not know from theirs. Where no shard has data: --without-map.`
      : `${file} cannot be restored: ${outcome.reason ?? ''}.`;
  return new CliFailure(detail, { exitCode: EXIT.usage });
}

/** Of a disk: it is full, or broken, or the folder may not be written. */
function unwritten(error: unknown, folder = ''): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === undefined || error instanceof CliFailure) return error;
  const cause = error instanceof OperationalError ? (error.details['code'] as string | null) : message;
  const sentence = `${folder} cannot be written: ${cause ?? message}. Nothing is left of the new group in any of the folders.`;
  return new CliFailure(sentence, { cause: error });
}

interface NewMember {
  readonly cluster: string;
  readonly self: Seated;
  readonly founders: readonly Seated[];
}

async function writeMember(
  folder: string,
  { cluster, self, founders }: NewMember,
  store: MvccStore,
): Promise<void> {
  await makeFolders(folder, OWNER_ONLY);
  const { storage } = await openLogStorage({ directory: join(folder, LOG_FOLDER) });
  try {
    const configuration = encodeConfiguration(configurationOf(founders));
    // As what a leader sends: the log begins behind it.
    const writer = storage.receiveSnapshot(BEGINNING);
    let number = 0;
    for (const chunk of snapshotOf(store)) {
      refuseFull(await storage.addChunk(writer, number, chunk), folder);
      number += 1;
    }
    const hardState = { term: BEGINNING.term, vote: 0, commit: BEGINNING.index };
    const batch = { hardState, entries: [], snapshot: { writer, configuration } };
    refuseFull(await storage.append(batch), folder);
    // Last: until then no coordinator starts here, with the store of nobody.
    await storage.saveIdentity({ cluster, ...self, founders, isBegun: true });
  } finally {
    await storage.close();
  }
}

function refuseFull(outcome: WriteOutcome, folder: string): void {
  if (outcome === 'noRoom') throw new CliFailure(`There is no room in ${folder}.`);
}
