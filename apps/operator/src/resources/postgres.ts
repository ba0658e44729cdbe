/**
 * PostgreSQL beside a shard: any stock server from 15 to 18, on a socket, for one user, without a network and without a
 * password. What is set here is what the shard's promises rest on, and what fits the container's memory and the volume.
 */
import { POSTGRES_DURABILITY, postgresSettings, type RingleaderCluster } from '@ringleader/contracts';
import { quantityBytes } from './memory.js';

export const POSTGRES_FOLDERS = {
  /** Of the ConfigMap. */
  config: '/etc/ringleader/postgres',
  volume: '/var/lib/ringleader/postgres',
  socket: '/run/ringleader/postgres',
} as const;

/** Role and database of the shard, which owns nothing else. */
export const POSTGRES_ROLE = 'ringleader';
/** Of the superuser, and of the account in the image. */
const ACCOUNT = 'postgres';

export function postgresUrl(): string {
  const query = new URLSearchParams({ host: POSTGRES_FOLDERS.socket, user: POSTGRES_ROLE });
  return `postgres:///${POSTGRES_ROLE}?${query.toString()}`;
}

/** Given on the command line, which goes before all files: nobody reaches the server but by the socket. */
const FIXED: Readonly<Record<string, string>> = {
  ...POSTGRES_DURABILITY,
  ignore_invalid_pages: 'off',
  // The kernel forgets what it failed to write: a second attempt succeeds, and nothing is on the disk.
  data_sync_retry: 'off',
  listen_addresses: '',
  port: '5432',
  unix_socket_directories: POSTGRES_FOLDERS.socket,
  data_directory: '"$data"',
  config_file: `${POSTGRES_FOLDERS.config}/postgresql.conf`,
  hba_file: `${POSTGRES_FOLDERS.config}/pg_hba.conf`,
  ident_file: `${POSTGRES_FOLDERS.config}/pg_ident.conf`,
};

const MIB = 2 ** 20;

const quoted = (text: string): string =>
  `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''").replaceAll('\n', '\\n')}'`;

/** Names that PostgreSQL reads as settings: `include` and its like read other files. */
const SETTING = /^(?!include)[a-z_][a-z0-9_]*(?:\.[a-z_][a-z0-9_]*)?$/i;

export interface PostgresSizes {
  /** Of the container, as a quantity. */
  readonly memory: string;
  /** Of the volume. */
  readonly volume: string;
}

const MEMORY_BYTES_ELSE = 512 * MIB;
const VOLUME_BYTES_ELSE = 1_024 * MIB;

/** The owner's settings come last, so they count; names that are none are left out, or the server would not start. */
export function postgresqlConf(sizes: PostgresSizes, own: Readonly<Record<string, string>>): string {
  const settings = postgresSettings({
    memoryBytes: quantityBytes(sizes.memory) ?? MEMORY_BYTES_ELSE,
    volumeBytes: quantityBytes(sizes.volume) ?? VOLUME_BYTES_ELSE,
  });
  const lines = (pairs: Readonly<Record<string, string>>): string[] =>
    Object.entries(pairs)
      .filter(([name]) => SETTING.test(name))
      .map(([name, value]) => `${name} = ${quoted(value)}`);
  return ['# Of the operator.', ...lines(settings), '# Of the cluster.', ...lines(own), ''].join('\n');
}

/** The kernel says who is at the other end of the socket; the shard runs under the server's own user. */
const PG_HBA = `# Nobody else, and nothing by a network.
local ${POSTGRES_ROLE} ${POSTGRES_ROLE} peer map=shard
local all ${ACCOUNT} peer
`;
const PG_IDENT = `shard ${ACCOUNT} ${POSTGRES_ROLE}
`;

/**
 * Stays process 1, for two reasons. TERM, which a pod's end sends, is a fast shutdown here: to PostgreSQL itself it means to wait
 * until clients have left, and images that were imported do not say which signal they want. And orphans (of a probe that was cut
 * off) are this shell's: PostgreSQL as process 1 takes one that ends with a code of 2 or more for a crash of its own.
 */
const ENTRY_SCRIPT = `set -eu
volume=${POSTGRES_FOLDERS.volume}
data=$volume/data
pid=
stopping=
stop() {
  stopping=yes
  # Ends the sessions, writes a checkpoint, stops.
  if [ -n "$pid" ]; then kill -INT "$pid"; fi
}
trap stop TERM INT QUIT

# On the path in official images; Debian's packages have it elsewhere.
bin=
for candidate in "$(command -v postgres || true)" /usr/lib/postgresql/*/bin/postgres; do
  if [ -x "$candidate" ]; then bin=$(dirname "$candidate"); break; fi
done
if [ -z "$bin" ]; then echo 'There is no PostgreSQL in this image.' >&2; exit 1; fi

# The kernel's lock, held until the last process of the server is gone: two pods on one volume are one too many.
if command -v flock >/dev/null; then
  exec 9>>"$volume/lock"
  if ! flock -n 9; then echo 'Another server still runs on this volume.' >&2; exit 1; fi
fi

if [ ! -e "$data" ]; then
  # Aside, and moved in place whole: what was interrupted leaves nothing that looks like a database.
  rm -rf "$volume/new"
  mkdir -m 0700 "$volume/new"
  "$bin/initdb" --pgdata="$volume/new" --username=${ACCOUNT} --auth=peer --encoding=UTF8 --no-locale --data-checksums
  "$bin/postgres" --single -D "$volume/new" postgres >/dev/null <<'SQL'
CREATE ROLE ${POSTGRES_ROLE} LOGIN
CREATE DATABASE ${POSTGRES_ROLE} OWNER ${POSTGRES_ROLE}
SQL
  mv "$volume/new" "$data"
  sync
fi
# What sets the volume's group opens the folder to it, and PostgreSQL refuses to start then.
chmod 0700 "$data"
# Of a server that was killed: its number may be another process's here. The lock above is what counts.
rm -f "$data/postmaster.pid" ${POSTGRES_FOLDERS.socket}/.s.PGSQL.*
if [ -n "$stopping" ]; then exit 0; fi

"$bin/postgres" -D "$data" ${Object.entries(FIXED)
  .map(([name, value]) => `-c ${name}=${value}`)
  .join(' ')} &
pid=$!
if [ -n "$stopping" ]; then kill -INT "$pid"; fi
# A signal ends the waiting, not the server.
while :; do
  status=0
  wait "$pid" || status=$?
  if ! kill -0 "$pid" 2>/dev/null; then exit "$status"; fi
done
`;

export const POSTGRES_ENTRY = `${POSTGRES_FOLDERS.config}/entry.sh`;

/** The files of the ConfigMap. */
export function postgresFiles(
  postgres: RingleaderCluster['spec']['shards']['postgres'],
  sizes: PostgresSizes,
): Record<string, string> {
  return {
    'entry.sh': ENTRY_SCRIPT,
    'postgresql.conf': postgresqlConf(sizes, postgres.settings),
    'pg_hba.conf': PG_HBA,
    'pg_ident.conf': PG_IDENT,
  };
}
