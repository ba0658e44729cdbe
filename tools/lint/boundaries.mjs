import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Who may import whom, by the tags in each package.json (`layer:*`, `scope:*`). docs/ARCHITECTURE.md shows the same
 * as a table. A package without tags may import nothing, because no constraint here matches it.
 */

const PRIMITIVES = 'scope:primitives';

/** Cores know nothing but the primitives and themselves; these few know the ring and its hash as well. */
const CORE_MAY_ALSO_IMPORT = { balancer: ['scope:hash-ring'], placement: ['scope:hash-ring'] };

/** A core has no dependencies; a hash function, which is a pure function, is the exception. */
const CORE_PACKAGES = { 'hash-ring': ['xxhash-wasm'] };

/** Adapters know contracts and primitives; these build on the adapter that carries the messages, or on the one lock. */
const ADAPTER_MAY_ALSO_IMPORT = {
  'log-storage': ['scope:file-lock'],
  coordination: ['scope:nats'],
  nats: ['scope:config'],
  observability: ['scope:nats'],
  'service-host': ['scope:config', 'scope:coordination', 'scope:nats', 'scope:observability'],
};

/** What only tests need. */
const TEST_PACKAGES = ['@jest/globals', 'cborg', 'fast-check'];

function scopesOf(root, layer) {
  return globSync('{apps,libs,tests,tools}/**/package.json', {
    cwd: root,
    exclude: (name) => name === 'node_modules',
  })
    .map((file) => JSON.parse(readFileSync(join(root, file), 'utf8')).nx?.tags ?? [])
    .filter((tags) => tags.includes(`layer:${layer}`))
    .map((tags) => tags.find((tag) => tag.startsWith('scope:')).slice('scope:'.length));
}

function coreConstraints(root, { inTests }) {
  return scopesOf(root, 'core').map((scope) => ({
    allSourceTags: ['layer:core', `scope:${scope}`],
    onlyDependOnLibsWithTags: [
      PRIMITIVES,
      ...(CORE_MAY_ALSO_IMPORT[scope] ?? []),
      ...(inTests ? ['layer:testing'] : []),
    ],
    allowedExternalImports: [...(CORE_PACKAGES[scope] ?? []), ...(inTests ? TEST_PACKAGES : [])],
  }));
}

function adapterConstraints(root, { inTests }) {
  return scopesOf(root, 'adapter').map((scope) => ({
    allSourceTags: ['layer:adapter', `scope:${scope}`],
    onlyDependOnLibsWithTags: [
      'layer:contract',
      PRIMITIVES,
      ...(ADAPTER_MAY_ALSO_IMPORT[scope] ?? []),
      ...(inTests ? ['layer:testing'] : []),
    ],
  }));
}

export function boundaries(root, { inTests }) {
  const testing = inTests ? ['layer:testing'] : [];
  const testPackages = inTests ? TEST_PACKAGES : [];
  return [
    ...coreConstraints(root, { inTests }),
    {
      sourceTag: 'layer:contract',
      onlyDependOnLibsWithTags: ['layer:core', ...testing],
      allowedExternalImports: ['zod', ...testPackages],
    },
    ...adapterConstraints(root, { inTests }),
    {
      sourceTag: 'layer:app',
      onlyDependOnLibsWithTags: ['layer:adapter', 'layer:contract', 'layer:core', ...testing],
    },
    {
      sourceTag: 'layer:testing',
      onlyDependOnLibsWithTags: [
        'layer:core',
        'layer:contract',
        'layer:adapter',
        'layer:testing',
        // Real servers and clusters for tests; no other tool.
        'scope:server-processes',
        'scope:local-cluster',
      ],
    },
    {
      sourceTag: 'layer:suite',
      onlyDependOnLibsWithTags: [
        'layer:core',
        'layer:contract',
        'layer:adapter',
        'layer:testing',
        'layer:tool',
        'layer:app',
      ],
    },
    {
      sourceTag: 'layer:tool',
      onlyDependOnLibsWithTags: [
        'layer:core',
        'layer:contract',
        'layer:adapter',
        'layer:testing',
        'layer:tool',
      ],
    },
  ];
}
