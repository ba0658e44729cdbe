/**
 * What a RingleaderCluster may not be, and may not become: for each rule of its definition at least one that the API server refuses
 * by it. `refusals.spec.ts` sees to it that no rule is left out.
 */
import type { Part } from '../harness/merge-patch.js';

interface Attempt {
  readonly what: string;
  /** Of the cluster. */
  readonly name?: string;
  /** Merged into the smallest specification: what it was before. Absent: it is refused when it is created. */
  readonly from?: Part;
  /** Merged into what it was, or into the smallest specification. */
  readonly to: Part;
  /** Where `to` is written; absent: the specification. */
  readonly subresource?: '/status' | '/scale';
}

export interface Refusal extends Attempt {
  /** Where the rule stands; '' is the whole object. */
  readonly path: string;
  /** What it says; of a pattern, the pattern. */
  readonly sentence: string;
}

export const SMALLEST: Part = { shards: { replicas: 3 } };

const by = (path: string, sentence: string, ...attempts: readonly Attempt[]): readonly Refusal[] =>
  attempts.map((attempt) => ({ path, sentence, ...attempt }));

const LONG_NAMES = ['a'.repeat(41), 'x'.repeat(200)];
const names = by(
  '',
  'metadata.name must have at most 40 small letters, digits and hyphens, begin with a letter, and not end with a hyphen',
  ...[...LONG_NAMES, '1st', '0', 'with.dots', 'kv.example.com'].map((name) => ({
    what: `a name such as ${name.slice(0, 45)}`,
    name,
    to: {},
  })),
);

const numbers = [
  ...by(
    'spec.partitions',
    'must be a power of two from 16 to 16384',
    ...[17, 100, 16_383].map((partitions) => ({ what: `${partitions} partitions`, to: { partitions } })),
  ),
  ...by(
    'spec.partitions',
    'cannot change',
    { what: 'more partitions', from: { partitions: 64 }, to: { partitions: 128 } },
    { what: 'fewer partitions', from: { partitions: 64 }, to: { partitions: 32 } },
    { what: 'no number of partitions', from: { partitions: 64 }, to: { partitions: null } },
  ),
  ...by(
    'spec.replicationFactor',
    'cannot change',
    { what: 'fewer replicas', from: {}, to: { replicationFactor: 1 } },
    { what: 'more replicas', from: { replicationFactor: 1 }, to: { replicationFactor: 3 } },
    { what: 'no number of replicas', from: { replicationFactor: 1 }, to: { replicationFactor: null } },
  ),
  ...by(
    'spec',
    'shards.replicas must not be below replicationFactor',
    { what: 'fewer shards than replicas', to: { shards: { replicas: 2 } } },
    { what: 'more replicas than shards', to: { replicationFactor: 5 } },
    { what: 'a change to fewer shards than replicas', from: {}, to: { shards: { replicas: 2 } } },
    { what: 'a scale to fewer shards than replicas', from: {}, to: { replicas: 2 }, subresource: '/scale' },
  ),
];

const group = (replicas: number | null): Part => ({ coordinators: { replicas } });
const groups = [
  ...by(
    'spec.coordinators.replicas',
    'must be 1, 3 or 5',
    { what: 'two coordinators', to: group(2) },
    { what: 'four coordinators', to: group(4) },
    { what: 'a change to two coordinators', from: group(3), to: group(2) },
    { what: 'a change to four coordinators', from: {}, to: group(4) },
  ),
  ...by(
    'spec.coordinators',
    'replicas can change by two at a time',
    { what: 'five coordinators that become one', from: group(5), to: group(1) },
    { what: 'one coordinator that becomes five', from: group(1), to: group(5) },
  ),
  ...by(
    'spec.coordinators',
    'replicas cannot be left out again: that would change how many there are; say 3',
    { what: 'the number of five coordinators left out again', from: group(5), to: group(null) },
    { what: 'the number of one coordinator left out again', from: group(1), to: group(null) },
    { what: 'five coordinators left out altogether', from: group(5), to: { coordinators: null } },
  ),
];

const storages = ['shards', 'coordinators'].flatMap((keeper) => {
  const path = `spec.${keeper}.storage`;
  const storage = (part: Part | null): Part => ({ [keeper]: { storage: part } });
  const change = (from: Part, to: Part | null): Attempt => ({
    what: `of ${keeper}: storage ${JSON.stringify(to)} in place of ${JSON.stringify(from)}`,
    from: storage(from),
    to: storage(to),
  });
  const standard = { storageClassName: 'standard' };
  return [
    ...by(
      `${path}.size`,
      'must be a quantity from 1Gi to 64Ti',
      ...['100Mi', '1073741823', '65Ti', '0', '-1Gi', 'much', '10 Gi', '10GB', ''].map((size) => ({
        what: `of ${keeper}: a volume of "${size}"`,
        to: storage({ size }),
      })),
    ),
    ...by(
      `${path}.size`,
      'a volume cannot shrink',
      change({ size: '2Gi' }, { size: '1Gi' }),
      change({ size: '2Gi' }, { size: '2047Mi' }),
      change({ size: '2Gi' }, { size: '2G' }),
      // It would be 10Gi.
      change({ size: '20Gi' }, { size: null }),
      change({ size: '20Gi' }, null),
    ),
    ...by(
      path,
      'storageClassName cannot change',
      change(standard, { storageClassName: 'other' }),
      change(standard, { storageClassName: null }),
      change({}, standard),
      change({ ...standard, size: '1Gi' }, null),
    ),
  ];
});

const set = (name: string): Part => ({ shards: { postgres: { settings: { [name]: 'off' } } } });
const setting = (name: string): Attempt => ({ what: `the setting ${JSON.stringify(name)}`, to: set(name) });
const OWN_SETTINGS = [
  ...['fsync', 'full_page_writes', 'synchronous_commit', 'zero_damaged_pages', 'ignore_checksum_failure'],
  ...['ignore_invalid_pages', 'data_sync_retry', 'listen_addresses', 'port', 'unix_socket_directories'],
  ...['config_file', 'hba_file', 'ident_file', 'data_directory'],
];
const NO_SETTINGS = [
  ...['FSYNC', 'Fsync', 'include', 'include_dir', 'include_if_exists', 'INCLUDE', 'fsync ', 'a.b.c', ''],
  ...['work_mem = 1\nfsync', '#', '1st', 'a-b', 'ü'],
];
const settings = [
  ...by(
    'spec.shards.postgres.settings',
    `what durability and access rest on is the operator’s: ${OWN_SETTINGS.slice(0, -1).join(', ')} and data_directory`,
    ...OWN_SETTINGS.map(setting),
    { what: 'a setting that comes later', from: {}, to: set('fsync') },
  ),
  ...by(
    'spec.shards.postgres.settings',
    'must be names of settings, in small letters',
    ...NO_SETTINGS.map(setting),
  ),
];

const SERVICES = [
  'coordinators',
  'shards',
  'shards.postgres',
  'gateways',
  'failureDetectors',
  'nats.managed',
];
const resources = SERVICES.flatMap((service) =>
  ['requests', 'limits'].flatMap((kind) =>
    by(
      `spec.${service}.resources.${kind}`,
      'must be quantities, as in 500m or 2Gi',
      ...['a lot', '-1', -1, '1 Gi'].map((quantity) => ({
        what: `of ${service}: ${kind} of ${JSON.stringify(quantity)}`,
        to: nested([...service.split('.'), 'resources', kind, 'memory'], quantity),
      })),
    ),
  ),
);

const external = { servers: ['tls://n:4222'], credentialsSecret: 's' };
const servers = [
  ...by('spec.nats.managed.replicas', 'must be 1 or 3', {
    what: 'two NATS servers',
    to: { nats: { managed: { replicas: 2 } } },
  }),
  ...by(
    'spec.nats',
    'either managed or external, not both',
    { what: 'NATS twice', to: { nats: { managed: {}, external } } },
    { what: 'another NATS beside the first', from: { nats: { managed: {} } }, to: { nats: { external } } },
  ),
  ...by(
    'spec.nats',
    'a cluster cannot go from managed to external or back: delete it with deletionPolicy Retain, and apply it anew',
    {
      what: 'NATS elsewhere in place of managed',
      from: { nats: { managed: {} } },
      to: { nats: { managed: null, external } },
    },
    { what: 'NATS elsewhere where none was named', from: {}, to: { nats: { external } } },
    { what: 'no NATS in place of one elsewhere', from: { nats: { external } }, to: { nats: null } },
  ),
];

const hosts = by(
  'spec.gateways.hosts[0]',
  '^((\\*\\.)?[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)$',
  ...['bücher.example', 'kv.example.com:8443', 'https://kv.example.com', '', 'a b', 'fe80::1%eth0'].map(
    (host) => ({ what: `the host ${JSON.stringify(host)}`, to: { gateways: { hosts: [host] } } }),
  ),
);

/** The operator's own: what `kubectl wait` and others read has to be what they can read. */
const reasons = by(
  'status.conditions[0].reason',
  '^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$',
  ...['no word', '1st', 'Ends.', 'Ends,'].map((reason) => ({
    what: `a condition for the reason "${reason}"`,
    from: {},
    to: {
      conditions: [
        {
          ...{ type: 'Available', status: 'True', reason, message: 'It is.', observedGeneration: 1 },
          lastTransitionTime: '2026-01-01T00:00:00Z',
        },
      ],
    },
    subresource: '/status' as const,
  })),
);

export const REFUSALS: readonly Refusal[] = [
  ...[names, numbers, groups, storages, settings, resources, servers, hosts, reasons].flat(),
];

/** What stands at the edge of a rule, and is allowed. */
export const ALLOWED: readonly Attempt[] = [
  { what: 'a name of 40 letters', name: 'a'.repeat(40), to: {} },
  { what: 'a name of one letter', name: 'r', to: {} },
  { what: 'as many replicas as shards', to: { shards: { replicas: 7 }, replicationFactor: 7 } },
  { what: 'the number of three coordinators left out again', from: group(3), to: group(null) },
  { what: 'coordinators by two', from: {}, to: group(5) },
  {
    what: 'the same size in other words, and then more',
    from: { shards: { storage: { size: '2Gi' } } },
    to: { shards: { storage: { size: '2048Mi' } }, coordinators: { storage: { size: '64Ti' } } },
  },
  {
    what: 'settings of PostgreSQL and of its extensions',
    to: { shards: { postgres: { settings: { work_mem: '8MB', 'auto_explain.log_min_duration': '1s' } } } },
  },
  {
    what: 'hosts of all kinds',
    to: {
      gateways: {
        hosts: ['KV.example.com', '*.kv.example.com', '192.0.2.7', '2001:DB8::7', '::ffff:10.0.0.1'],
      },
    },
  },
  { what: 'quantities as numbers', to: { gateways: { resources: { requests: { cpu: 1, memory: '1e9' } } } } },
];

function nested([name, ...rest]: readonly string[], value: unknown): Part {
  return name === undefined ? {} : { [name]: rest.length === 0 ? value : nested(rest, value) };
}
