import { join } from 'node:path';
import { standIns } from './kubernetes.mjs';
import { root } from './prepare.mjs';

const bin = (...path) => join(root, 'node_modules', ...path);

/** Checks of the text: each counts as one test. The longest stands first. */
export const CHECKS = [
  { name: 'lint', args: [bin('eslint', 'bin', 'eslint.js'), '.'] },
  { name: 'typecheck', args: [bin('typescript', 'bin', 'tsc'), '-p', 'tsconfig.check.json'] },
  { name: 'format', args: [bin('prettier', 'bin', 'prettier.cjs'), '--check', '--log-level', 'warn', '.'] },
  {
    name: 'cycles',
    args: [
      bin('dependency-cruiser', 'bin', 'dependency-cruiser.mjs'),
      ...['--config', 'tools/lint/import-cycles.mjs', 'apps', 'libs', 'tests', 'tools'],
    ],
  },
];

const TWO_AT_A_TIME = ['--maxWorkers=2'];
/**
 * Most of their time, tests with real servers wait. One that fails half-way leaves processes and sockets behind, which must
 * not keep the run from ending with its verdict.
 */
const WITH_SERVERS = [...TWO_AT_A_TIME, '--forceExit'];
/** What asks that no lease is lost under a load of its own cannot have another cluster beside it. */
const ALONE = '**/*.alone.fault-spec.ts';

/** Of the scenarios on Kubernetes, what each run of all tests tries, where it can; `npm run e2e` runs them all. */
const IN_CI = [
  'the image',
  'install',
  'store and read',
  'scale from 3 to 5 and back',
  'delete pods delete a shard pod',
  'the end the namespace',
  'the manifests',
];

/** Test suites by the kind of file. `minutes` is where a run is given up: far above what it takes on a machine that is a third as fast. */
export const SUITES = [
  { name: 'unit', testMatch: ['**/*.spec.ts'], args: TWO_AT_A_TIME, minutes: 25 },
  { name: 'simulation', testMatch: ['**/*.sim-spec.ts'], args: TWO_AT_A_TIME, minutes: 30 },
  { name: 'medium', testMatch: ['**/*.medium-spec.ts'], args: WITH_SERVERS, minutes: 25 },
  {
    name: 'faults',
    testMatch: ['**/*.fault-spec.ts', '**/*.e2e-spec.ts', `!${ALONE}`],
    args: WITH_SERVERS,
    minutes: 40,
  },
  { name: 'alone', testMatch: [ALONE], args: ['--runInBand', '--forceExit'], minutes: 20 },
  {
    name: 'kubernetes',
    testMatch: [
      ...['00-image', '01-install', '02-store-and-read', '03-scale', '04-delete-pods', '11-end'].map(
        (name) => `**/kubernetes/scenarios/${name}.k8s-spec.ts`,
      ),
      // `kubectl apply --dry-run=server`, by an API server of its own.
      '**/kubernetes/operator/manifests.k8s-spec.ts',
    ],
    args: ['--runInBand', '--forceExit', `--testNamePattern=^(${IN_CI.join('|')})`],
    minutes: 30,
    // Asked for what it needs: the environment of the suite, or why it cannot run here.
    needs: standIns,
  },
];

/** All scenarios: `npm run e2e`. */
export const KUBERNETES = {
  name: 'kubernetes',
  testMatch: ['**/*.k8s-spec.ts'],
  args: ['--runInBand', '--forceExit'],
  minutes: 240,
};

export const JEST = 'node_modules/jest/bin/jest.js';
export const JEST_FLAGS = ['--experimental-vm-modules', '--no-warnings=ExperimentalWarning'];

/** Behind the two above. */
export function jestArguments(suite, resultFile) {
  return [
    '--ci',
    '--passWithNoTests',
    `--testSequencer=${join(root, 'tools/bootstrap/longest-first.mjs')}`,
    '--json',
    `--outputFile=${resultFile}`,
    ...suite.args,
    ...suite.testMatch.map((pattern) => `--testMatch=${pattern}`),
  ];
}
