import { beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

interface Fixture {
  readonly name: string;
  /** An existing file in whose place the text is linted. */
  readonly file: string;
  readonly text: string;
  /** The rule that must complain; none when the text is allowed. */
  readonly rule?: string;
}

const BOUNDARY = '@nx/enforce-module-boundaries';
const CORE = 'libs/core/raft/src/index.ts';
const CORE_TEST = 'libs/core/hash-ring/src/ring.spec.ts';
const PLACEMENT = 'libs/core/placement/src/index.ts';
const PAXOS = 'libs/core/paxos/src/index.ts';
const CONTRACT = 'libs/contracts/src/index.ts';
const ADAPTER = 'libs/adapters/config/src/index.ts';
const COORDINATION = 'libs/adapters/coordination/src/coordination-client.ts';
const APP = 'apps/gateway/src/routing/routing-table.ts';
const TESTING = 'libs/testing/servers/src/index.ts';
const TOOL = 'tools/local-cluster/src/index.ts';

const importing = (name: string) => `import * as it from '${name}';\nexport const used = it;\n`;

const BOUNDARIES: readonly Fixture[] = [
  { name: 'a core may import the primitives', file: CORE, text: importing('@ringleader/primitives') },
  { name: 'raft may not import paxos', file: CORE, text: importing('@ringleader/paxos'), rule: BOUNDARY },
  { name: 'paxos may not import raft', file: PAXOS, text: importing('@ringleader/raft'), rule: BOUNDARY },
  { name: 'placement may import hash-ring', file: PLACEMENT, text: importing('@ringleader/hash-ring') },
  {
    name: 'raft may not import hash-ring',
    file: CORE,
    text: importing('@ringleader/hash-ring'),
    rule: BOUNDARY,
  },
  {
    name: 'a core may not import a contract',
    file: CORE,
    text: importing('@ringleader/contracts'),
    rule: BOUNDARY,
  },
  {
    name: 'a core may not import an adapter',
    file: CORE,
    text: importing('@ringleader/nats'),
    rule: BOUNDARY,
  },
  { name: 'a core may not import an npm package', file: CORE, text: importing('fast-check'), rule: BOUNDARY },
  { name: "a core's test may use fast-check", file: CORE_TEST, text: importing('fast-check') },
  {
    name: 'a contract may not import an adapter',
    file: CONTRACT,
    text: importing('@ringleader/config'),
    rule: BOUNDARY,
  },
  { name: 'a contract may import zod', file: CONTRACT, text: importing('zod') },
  {
    name: 'a contract may import no other package',
    file: CONTRACT,
    text: importing('typescript'),
    rule: BOUNDARY,
  },
  { name: 'an adapter may import contracts', file: ADAPTER, text: importing('@ringleader/contracts') },
  {
    name: 'an adapter may not import a core',
    file: ADAPTER,
    text: importing('@ringleader/raft'),
    rule: BOUNDARY,
  },
  {
    name: 'an adapter may not import another',
    file: ADAPTER,
    text: importing('@ringleader/nats'),
    rule: BOUNDARY,
  },
  {
    name: 'coordination may import the NATS adapter',
    file: COORDINATION,
    text: importing('@ringleader/nats'),
  },
  {
    name: 'an undeclared package may not be imported',
    file: ADAPTER,
    text: importing('rxjs'),
    rule: BOUNDARY,
  },
  { name: 'an app may import an adapter', file: APP, text: importing('@ringleader/config') },
  {
    name: 'an app may not import another app',
    file: APP,
    text: importing('@ringleader/app-shard'),
    rule: BOUNDARY,
  },
  {
    name: 'an app may not import test helpers',
    file: APP,
    text: importing('@ringleader/testing-servers'),
    rule: BOUNDARY,
  },
  {
    name: 'test helpers may not import an app',
    file: TESTING,
    text: importing('@ringleader/app-shard'),
    rule: BOUNDARY,
  },
  {
    name: 'test helpers may import the tool that runs servers',
    file: TESTING,
    text: importing('@ringleader/server-processes'),
  },
  {
    name: 'an app may not import a tool',
    file: APP,
    text: importing('@ringleader/server-processes'),
    rule: BOUNDARY,
  },
  {
    name: 'a tool may not import an app',
    file: TOOL,
    text: importing('@ringleader/app-gateway'),
    rule: BOUNDARY,
  },
  {
    name: 'nobody reaches into another package by path',
    file: CORE,
    text: importing('../../paxos/src/index.js'),
    rule: BOUNDARY,
  },
];

const PURITY: readonly Fixture[] = [
  { name: 'no built-in modules', file: CORE, text: importing('node:fs'), rule: 'no-restricted-imports' },
  {
    name: 'no built-in modules by their old name',
    file: CORE,
    text: importing('fs'),
    rule: 'no-restricted-imports',
  },
  {
    name: 'no Date',
    file: CORE,
    text: 'export const now = () => Date.now();',
    rule: 'no-restricted-globals',
  },
  { name: 'no timers', file: CORE, text: 'setTimeout(() => undefined, 1);', rule: 'no-restricted-globals' },
  { name: 'no process', file: CORE, text: 'export const id = process.pid;', rule: 'no-restricted-globals' },
  {
    name: 'no Math.random',
    file: CORE,
    text: 'export const x = Math.random();',
    rule: 'no-restricted-properties',
  },
  {
    name: 'no async',
    file: CORE,
    text: 'export async function f() { await g(); }\ndeclare function g(): PromiseLike<void>;',
    rule: 'no-restricted-syntax',
  },
  {
    name: 'no decorators',
    file: CORE,
    text: 'declare const d: ClassDecorator;\n@d\nexport class C {}',
    rule: 'no-restricted-syntax',
  },
  { name: 'a test of a core may use timers', file: CORE_TEST, text: 'setTimeout(() => undefined, 1);' },
];

const lines = (count: number) =>
  Array.from({ length: count }, (_, i) => `export const x${i} = ${i};`).join('\n');
const statements = Array.from({ length: 71 }, (_, i) => `  console.log(${i});`).join('\n');
const conditions = Array.from({ length: 12 }, (_, i) => `  if (a === ${i}) b += 1;`).join('\n');

const HABITS: readonly Fixture[] = [
  { name: 'files end at 400 lines', file: TOOL, text: lines(401), rule: 'max-lines' },
  {
    name: 'functions end at 70 lines',
    file: TOOL,
    text: `export function f(): void {\n${statements}\n}`,
    rule: 'max-lines-per-function',
  },
  {
    name: 'four parameters',
    file: TOOL,
    text: 'export const f = (a: number, b: number, c: number, d: number, e: number) => a + b + c + d + e;',
    rule: '@typescript-eslint/max-params',
  },
  {
    name: 'complexity',
    file: TOOL,
    text: `export function f(a: number): number {\n  let b = 0;\n${conditions}\n  return b;\n}`,
    rule: 'complexity',
  },
  {
    name: 'no floating promises',
    file: TOOL,
    text: 'export function f(): void {\n  Promise.resolve();\n}',
    rule: '@typescript-eslint/no-floating-promises',
  },
  {
    name: 'no swallowed errors',
    file: TOOL,
    text: 'export function f(): void {\n  try {\n    f();\n  } catch {}\n}',
    rule: 'no-empty',
  },
  {
    name: 'no process.env',
    file: APP,
    text: 'export const home = process.env;',
    rule: 'no-restricted-properties',
  },
  {
    name: 'process.env in main.ts',
    file: 'apps/cli/src/main.ts',
    text: 'export const home = process.env;',
  },
  {
    name: 'no NATS client',
    file: APP,
    text: importing('@nats-io/transport-node'),
    rule: 'no-restricted-imports',
  },
  {
    name: 'no raw messages',
    file: APP,
    text: "export function f(connection: { publish(subject: string): void }): void {\n  connection.publish('x');\n}",
    rule: 'no-restricted-syntax',
  },
  {
    name: 'no test that is not run',
    file: CORE_TEST,
    text: "import { it } from '@jest/globals';\n(process.env['CI'] === undefined ? it : it.skip)('works', () => undefined);",
    rule: 'no-restricted-properties',
  },
  { name: 'no console in an app', file: APP, text: 'console.log(1);', rule: 'no-console' },
  {
    name: 'switches are exhaustive',
    file: TOOL,
    text: "export function f(a: 'x' | 'y'): void {\n  switch (a) {\n    case 'x':\n      break;\n  }\n}",
    rule: '@typescript-eslint/switch-exhaustiveness-check',
  },
];

const MANIFEST = 'libs/adapters/config/package.json';
const DEPENDENCIES = '@nx/dependency-checks';
const manifest = (dependencies: object) =>
  JSON.stringify({ name: '@ringleader/config', version: '0.1.0', dependencies });
/** What the package declares at present: a list of its own would be wrong with the next dependency. */
const { dependencies: IMPORTED } = JSON.parse(
  readFileSync(new URL(`../../${MANIFEST}`, import.meta.url), 'utf8'),
) as { readonly dependencies: Readonly<Record<string, string>> };
const { zod: _zod, ...WITHOUT_ZOD } = IMPORTED;

const MANIFESTS: readonly Fixture[] = [
  { name: 'a package declares what it imports', file: MANIFEST, text: manifest(IMPORTED) },
  {
    name: 'and misses nothing',
    file: MANIFEST,
    text: manifest(WITHOUT_ZOD),
    rule: DEPENDENCIES,
  },
  {
    name: 'and nothing else',
    file: MANIFEST,
    text: manifest({ ...IMPORTED, '@ringleader/primitives': 'workspace:*' }),
    rule: DEPENDENCIES,
  },
];

const ALL = [...BOUNDARIES, ...PURITY, ...HABITS, ...MANIFESTS];

describe('the rule set', () => {
  let messages: Record<string, string[]>;

  beforeAll(() => {
    const program = fileURLToPath(new URL('lint-fixtures.mjs', import.meta.url));
    const { stdout, stderr } = spawnSync(process.execPath, [program], {
      input: JSON.stringify(ALL),
      encoding: 'utf8',
    });
    if (stdout === '') throw new Error(stderr);
    messages = JSON.parse(stdout) as Record<string, string[]>;
  }, 120_000);

  it.each(ALL)('$name', ({ name, rule }) => {
    const found = messages[name] ?? [];
    if (rule === undefined) expect(found).toEqual([]);
    else expect(found.map((message) => message.slice(0, message.indexOf(':')))).toContain(rule);
  });
});
