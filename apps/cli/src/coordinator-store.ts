/** coordinator compact|hash|snapshot: the store that the coordinators share. */
import type { StoreCompacted, StoreHashes } from '@ringleader/contracts';
import { type Command, Option } from 'commander';
import { EXIT } from './failure.js';
import { bodyOf } from './gateway-client.js';
import { type GlobalFlags, clientOf, integer } from './global-options.js';
import { addSnapshotCommands } from './snapshot/snapshot.js';
import { table } from './table.js';

type HashFlags = GlobalFlags & { readonly revision?: number };

const revisionOf = integer(1, Number.MAX_SAFE_INTEGER);

export function describeHashes({ revision, consistent, members }: StoreHashes): string {
  const rows = members.map(({ name, id, hash, state }) => [name, id, hash ?? '', state]);
  return [
    `revision ${revision}: ${consistent ? 'no two members differ' : 'MEMBERS DIFFER'}`,
    table(['NAME', 'ID', 'HASH', 'STATE'], rows),
  ].join('\n');
}

async function hash(command: Command): Promise<void> {
  const flags = command.optsWithGlobals<HashFlags>();
  const client = clientOf(flags);
  const hashes = bodyOf(await client.coordinatorHashes(flags.revision), client);
  console.log(flags.format === 'json' ? JSON.stringify(hashes, null, 2) : describeHashes(hashes));
  if (!hashes.consistent) process.exitCode = EXIT.condition;
}

async function compact(revision: number, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<GlobalFlags>();
  const client = clientOf(flags);
  const asked = { method: 'POST', body: { revision } } as const;
  const answer = await client.changeCoordinators<StoreCompacted>(':compact', asked, 'compactedRevision');
  const { compactedRevision } = bodyOf(answer, client, true);
  const done = `Forgotten is what was before revision ${compactedRevision}.`;
  console.log(flags.format === 'json' ? JSON.stringify({ compactedRevision }) : done);
}

export function addStoreCommands(noun: Command): void {
  addSnapshotCommands(noun);
  noun
    .command('compact')
    .description('Forgets the history of the store before a revision, which itself stays readable.')
    .argument('<revision>', 'as members shows it, or an older one', revisionOf)
    .action((revision: number, _flags: unknown, command: Command) => compact(revision, command));
  noun
    .command('hash')
    .description('Holds the stores of all members against each other; exits with 4 where they differ.')
    .addOption(new Option('--revision <n>', 'absent: the newest').argParser(revisionOf))
    .action((_flags: unknown, command: Command) => hash(command));
}
