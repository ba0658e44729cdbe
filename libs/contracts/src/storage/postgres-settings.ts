/** How a PostgreSQL server is run that has nothing to do but be a shard's: `npm start` and the operator have it from here. */

/** What is acknowledged rests on these: to be given on the command line, which goes before all files and before ALTER SYSTEM. */
export const POSTGRES_DURABILITY: Readonly<Record<string, string>> = {
  fsync: 'on',
  full_page_writes: 'on',
  synchronous_commit: 'on',
  zero_damaged_pages: 'off',
  ignore_checksum_failure: 'off',
};

export interface PostgresRoom {
  /** What the server may take, the kernel's cache of its files included. */
  readonly memoryBytes: number;
  /** Where its data lie. */
  readonly volumeBytes: number;
}

const MIB = 2 ** 20;
const share = (bytes: number, part: number, min: number, max: number): string =>
  `${Math.floor(Math.min(max * MIB, Math.max(min * MIB, bytes * part)) / MIB)}MB`;

/** Why they are so, in figures: docs/OPERATIONS.md, "A shard's PostgreSQL". */
export function postgresSettings({ memoryBytes, volumeBytes }: PostgresRoom): Record<string, string> {
  return {
    shared_buffers: share(memoryBytes, 1 / 4, 16, 65_536),
    effective_cache_size: share(memoryBytes, 1 / 2, 32, 1_048_576),
    maintenance_work_mem: share(memoryBytes, 1 / 16, 16, 1_024),
    autovacuum_work_mem: share(memoryBytes, 1 / 32, 8, 512),
    work_mem: '4MB',
    max_connections: '40',
    // Nothing is replicated from it: the other replicas are other shards.
    wal_level: 'minimal',
    max_wal_senders: '0',
    // The first change of a page after a checkpoint logs all of it. But a log that fills a small volume stops the shard.
    max_wal_size: share(volumeBytes, 1 / 8, 80, 4_096),
    checkpoint_timeout: '15min',
    checkpoint_completion_target: '0.9',
    jit: 'off',
    // Parallel queries share memory below /dev/shm, of which a container has 64 MiB; a shard reads by its index.
    max_parallel_workers_per_gather: '0',
    max_parallel_maintenance_workers: '0',
    // Huge pages that the node has and the pod may not use end a server with SIGBUS.
    huge_pages: 'off',
    // Deleted rows wait for it (docs/OPERATIONS.md, "Dead rows").
    autovacuum_naptime: '15s',
    log_destination: 'stderr',
    logging_collector: 'off',
    log_line_prefix: '%m [%p] ',
  };
}
