/**
 * No files import each other in a circle, not even for types: whoever reads one of them would have to read all.
 * (ESLint's rules for this pass over imports of types.)
 */

/** The folders of the Paxos core from the bottom up: none imports from one above it. */
const PAXOS_FOLDERS = [
  'rules',
  'partition',
  'pair',
  'leadership',
  'accept',
  'catch-up',
  'election',
  'writes',
  'reads',
];

const noUpwardImports = PAXOS_FOLDERS.map((folder, level) => ({
  name: `paxos-${folder}-imports-nothing-above-it`,
  severity: 'error',
  from: { path: `^libs/core/paxos/src/${folder}/`, pathNot: 'spec\\.ts$' },
  to: {
    path: `^libs/core/paxos/src/((${[...PAXOS_FOLDERS.slice(level + 1), 'none'].join('|')})/|(paxos-shard|dispatch|submit|index)\\.ts$)`,
  },
}));

export default {
  forbidden: [
    {
      name: 'no-import-cycles',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    ...noUpwardImports,
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|node_modules)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.check.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@ringleader/source', 'import', 'node', 'default'],
    },
  },
};
