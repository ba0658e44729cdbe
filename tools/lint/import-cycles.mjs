/**
 * No files import each other in a circle, not even for types: whoever reads one of them would have to read all.
 * (ESLint's rules for this pass over imports of types.)
 */
/** Circles that are still there, each through the files that this matches: an entry goes when its circle does. */
const KNOWN = [
  'libs/core/paxos/src/(repair|copy)/receiver',
  'libs/core/raft/src/',
  'tests/simulation/src/(paxos|raft)/',
];

export default {
  forbidden: [
    {
      name: 'no-import-cycles',
      severity: 'error',
      from: { pathNot: KNOWN },
      to: { circular: true },
    },
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
