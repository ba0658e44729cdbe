/**
 * One configuration for all suites: which files run is chosen by path on the command line (see package.json).
 * Workspace packages resolve to their sources, so no build is needed before a test.
 */

/** How many times as long as on an unloaded machine a test may wait for what it waits for, and may take: see the environment. */
const slowness = Number(process.env.TEST_SLOWNESS ?? 5);

export default {
  rootDir: '.',
  roots: ['<rootDir>/apps', '<rootDir>/libs', '<rootDir>/tests', '<rootDir>/tools'],
  // Ends what hangs. Nothing is as fast on a loaded machine as Jest's own five seconds expect.
  testTimeout: 60_000 * slowness,
  // What a file has loaded stays in memory behind it: collections of two gigabytes take longer than another process.
  workerIdleMemoryLimit: '700MB',
  testEnvironment: '<rootDir>/tools/bootstrap/test-environment.mjs',
  testEnvironmentOptions: { customExportConditions: ['@ringleader/source', 'node', 'node-addons'], slowness },
  testMatch: [
    '**/*.spec.ts',
    '**/*.medium-spec.ts',
    '**/*.sim-spec.ts',
    '**/*.fault-spec.ts',
    '**/*.e2e-spec.ts',
  ],
  testPathIgnorePatterns: ['/node_modules/', '/dist/'],
  modulePathIgnorePatterns: ['/dist/', '/.ringleader/', '/.tools/'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2023',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          keepClassNames: true,
        },
        module: { type: 'es6' },
        sourceMaps: true,
      },
    ],
  },
};
