/** coordinator snapshot save|status|restore. What reads and writes snapshots is loaded only where it is needed. */
import { setTimeout as pause } from 'node:timers/promises';
import { coordinatorSeat } from '@ringleader/contracts';
import { type Command, InvalidArgumentError } from 'commander';
import { CliFailure, EXIT } from '../failure.js';
import { bodyOf } from '../gateway-client.js';
import { type GlobalFlags, clientOf, stopSignal } from '../global-options.js';
import { table } from '../table.js';
import { STANDARD_OUTPUT, openOutput } from '../transfer/output.js';
import type { Place } from './restore.js';

type SaveFlags = GlobalFlags & { readonly from?: string };
type RestoreFlags = GlobalFlags & {
  readonly dataDir: readonly Place[];
  readonly cluster?: string;
  readonly withoutMap?: true;
};

/** It holds every key, whoever may read them in the cluster. */
const OWNER_ONLY = 0o600;
/** Parts come much faster. */
const SILENT_MS = 30_000;

async function save(path: string, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<SaveFlags>();
  const { archiveCheck, failureOf } = await import('./snapshot-file.js');
  const signal = stopSignal();
  const client = clientOf(flags, signal);
  // First: a stream that is begun and not read keeps this process, and the member's snapshot, for a minute.
  const output = await openOutput(path, OWNER_ONLY);
  const archive = archiveCheck();
  try {
    const stream = bodyOf(await client.coordinatorSnapshot(flags.from), client);
    for await (const chunk of unbroken(stream, signal)) {
      archive.push(chunk);
      await output.write(chunk);
    }
    const header = archive.finish();
    await output.complete();
    const { revision, member, hash } = header;
    const said = path === STANDARD_OUTPUT ? console.error : console.log;
    const text = `Saved revision ${revision} of ${member} (hash ${hash}) to ${path}.`;
    said(flags.format === 'json' ? JSON.stringify({ file: path, ...header }) : text);
  } catch (error) {
    await output.discard();
    throw failureOf(error, 'What came from the gateway');
  }
}

/** Throws where nothing comes for long, or the command is stopped. */
async function* unbroken(
  stream: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const timer = new AbortController();
      const silence = pause(SILENT_MS, null, { signal: AbortSignal.any([timer.signal, signal]) });
      const next = await Promise.race([reader.read(), silence]).finally(() => timer.abort());
      if (next === null) throw new CliFailure('The gateway went silent.', { exitCode: EXIT.nothingDone });
      if (next.done) return;
      yield next.value;
    }
  } catch (error) {
    if (signal.aborted) throw new CliFailure('Stopped: nothing was saved.', { exitCode: EXIT.stopped });
    if (error instanceof CliFailure) throw error;
    const detail = error instanceof Error ? error.message : String(error);
    const sentence = `The connection broke before the end (${detail}): nothing was saved.`;
    throw new CliFailure(sentence, { cause: error, exitCode: EXIT.nothingDone });
  } finally {
    // What broke has been told above.
    await reader.cancel().catch(() => undefined);
  }
}

async function status(path: string, command: Command): Promise<void> {
  const { format } = command.optsWithGlobals<GlobalFlags>();
  const { readSnapshotFile } = await import('./snapshot-file.js');
  const { countOf } = await import('./restored-store.js');
  const { header, store, sizeBytes } = await readSnapshotFile(path);
  const facts = { ...header, keys: countOf(store, ''), leases: store.leaseCount, sizeBytes };
  const rows = Object.entries(facts).map(([name, value]) => [name, String(value)]);
  console.log(format === 'json' ? JSON.stringify(facts, null, 2) : table(['FACT', 'VALUE'], rows));
}

async function restoreGroup(file: string, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<RestoreFlags>();
  const { restore } = await import('./restore.js');
  const { dataDir: places, cluster, withoutMap } = flags;
  const restored = await restore({ file, places, cluster, mayLackMap: withoutMap === true });
  const { clusterId, snapshotRevision, revision, coordinators } = restored;
  const rows = coordinators.map(({ name, id, folder }) => [name, id, folder]);
  const text = [
    `The store of revision ${snapshotRevision} begins anew at ${revision}, as the cluster ${restored.cluster} (${clusterId}).`,
    table(['NAME', 'ID', 'FOLDER'], rows),
    'Start these coordinators, and none of the group before.',
  ];
  console.log(flags.format === 'json' ? JSON.stringify(restored, null, 2) : text.join('\n'));
}

export function placeOf(text: string, before: readonly Place[] = []): Place[] {
  const [, name = '', folder] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  const seat = coordinatorSeat(name);
  if (seat !== null && folder !== undefined) return [...before, { seat, folder }];
  throw new InvalidArgumentError('It must be as in coordinator-1=/var/lib/ringleader.');
}

export function addSnapshotCommands(noun: Command): void {
  const snapshot = noun.command('snapshot').description('The whole store of the coordinators as a file.');
  snapshot
    .command('save')
    .description('Saves all that is committed, as of one revision; the file appears when all of it is there.')
    .argument('<file>', '- is standard output')
    .option('--from <name>', 'the member that it is taken from; without it the leader')
    .action((file: string, _flags: unknown, command: Command) => save(file, command));
  snapshot
    .command('status')
    .description('Reads a snapshot to its end, and tells revision, keys, size and hash.')
    .argument('<file>')
    .action((file: string, _flags: unknown, command: Command) => status(file, command));
  snapshot
    .command('restore')
    .description(
      'Writes the empty data folders of a new group of coordinators, which begins with a snapshot.',
    )
    .argument('<file>')
    .requiredOption(
      '--data-dir <name=folder>',
      'of each coordinator of the new group, as in coordinator-1=/var/lib/ringleader',
      placeOf,
    )
    .option('--cluster <name>', 'RINGLEADER_CLUSTER of the new group; without it that of the snapshot')
    .option('--without-map', 'also a snapshot from before the first partition map')
    .action((file: string, _flags: unknown, command: Command) => restoreGroup(file, command));
}
