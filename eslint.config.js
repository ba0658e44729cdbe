import { fileURLToPath } from 'node:url';
import js from '@eslint/js';
import * as jsonParser from 'jsonc-eslint-parser';
import tseslint from 'typescript-eslint';
import { boundaries } from './tools/lint/boundaries.mjs';
import { corePurityRules } from './tools/lint/core-purity.mjs';
import { dependencyChecks } from './tools/lint/dependency-checks.mjs';
import { limits, testLimits } from './tools/lint/limits.mjs';
import { ensureProjectGraph, nx } from './tools/lint/project-graph.mjs';

const root = fileURLToPath(new URL('.', import.meta.url));

const SOURCES = ['{apps,libs,tests,tools}/**/*.ts'];
const TESTS = [
  '**/*.spec.ts',
  '**/*-spec.ts',
  '{apps,libs,tests}/**/test/**/*.ts',
  'tests/**/*.ts',
  'libs/testing/**/*.ts',
];

const RAW_MESSAGE =
  'messages go through @ringleader/nats; only a transport (*.nats.ts) may use the client itself';

/** A test that is skipped somewhere proves nothing there, and nobody sees it. */
const notRun = ['it', 'test', 'describe'].flatMap((object) =>
  ['skip', 'only', 'todo'].map((property) => ({ object, property, message: 'make it run everywhere' })),
);

const boundaryRule = (inTests) => [
  'error',
  {
    depConstraints: boundaries(root, { inTests }),
    // An import must be declared in the package that has it (or be a tool of the whole workspace).
    banTransitiveDependencies: true,
    allow: [],
  },
];

await ensureProjectGraph();

export default tseslint.config(
  {
    ignores: [
      '**/dist/**',
      '**/node_modules/**',
      '.nx/**',
      '.ringleader/**',
      '.tools/**',
      '**/testdata/**',
      '**/coverage/**',
    ],
  },
  { files: ['**/*.{js,mjs,ts}'], ...js.configs.recommended },
  {
    files: ['**/*.{js,mjs}'],
    languageOptions: {
      globals: {
        Buffer: 'readonly',
        console: 'readonly',
        performance: 'readonly',
        process: 'readonly',
        fetch: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        setInterval: 'readonly',
        clearInterval: 'readonly',
        URL: 'readonly',
        structuredClone: 'readonly',
      },
    },
    rules: { ...limits, 'max-params': ['error', 4], '@typescript-eslint/max-params': 'off' },
  },
  {
    // What browsers are given.
    files: ['apps/gateway/page/**/*.js'],
    languageOptions: {
      globals: {
        document: 'readonly',
        AbortController: 'readonly',
        AbortSignal: 'readonly',
        TextDecoderStream: 'readonly',
        location: 'readonly',
        sessionStorage: 'readonly',
      },
    },
    rules: { 'no-console': 'error', eqeqeq: 'error' },
  },
  {
    files: SOURCES,
    extends: [...tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { project: ['./tsconfig.check.json'], tsconfigRootDir: root } },
    plugins: { '@nx': nx },
    rules: {
      ...limits,
      '@nx/enforce-module-boundaries': boundaryRule(false),
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'no-empty': ['error', { allowEmptyCatch: false }],
      eqeqeq: 'error',
      'no-console': 'error',
      'no-restricted-properties': [
        'error',
        {
          object: 'process',
          property: 'env',
          message: 'configuration is parsed once, in main.ts, and injected',
        },
      ],
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              // Keys are made and named elsewhere, too.
              regex: '^(@nats-io/(?!nkeys$).*|nats)$',
              message:
                'messages go through @ringleader/nats; only a transport (*.nats.ts) may use the client itself',
            },
          ],
        },
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector:
            'CallExpression[callee.property.name=/^(publish|request|subscribe)$/][callee.object.name=/nats|connection/i]',
          message: RAW_MESSAGE,
        },
        {
          selector:
            'CallExpression[callee.property.name=/^(publish|request|subscribe)$/][callee.object.property.name=/nats|connection/i]',
          message: RAW_MESSAGE,
        },
      ],
    },
  },
  {
    // The transports: where raw subjects and bytes are at home.
    files: ['libs/adapters/nats/**/*.ts', '**/*.nats.ts', ...TESTS],
    rules: { 'no-restricted-imports': 'off', 'no-restricted-syntax': 'off' },
  },
  {
    files: ['libs/core/*/src/**/*.ts'],
    ignores: TESTS,
    rules: corePurityRules,
  },
  {
    files: [
      ...['apps/*/src/main.ts', 'tools/*/src/main.ts', 'tests/benchmark/src/main.ts'],
      'libs/testing/local-cluster/src/*.ts',
      ...TESTS,
    ],
    rules: { 'no-restricted-properties': 'off' },
  },
  {
    // What a package imports, it declares, and nothing else. (The root's are everybody's tools.)
    files: ['{apps,libs,tests,tools}/**/package.json'],
    languageOptions: { parser: jsonParser },
    plugins: { '@nx': nx },
    rules: { '@nx/dependency-checks': ['error', dependencyChecks] },
  },
  {
    // Programs for people at a terminal speak through standard output.
    files: ['tools/**/*.{ts,mjs,js}', 'apps/cli/**/*.ts', 'tests/benchmark/**/*.ts'],
    rules: { 'no-console': 'off' },
  },
  {
    files: TESTS,
    rules: {
      ...testLimits,
      'no-restricted-properties': ['error', ...notRun],
      '@nx/enforce-module-boundaries': boundaryRule(true),
      // Stubs implement asynchronous interfaces; expectations name methods without calling them.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
);
