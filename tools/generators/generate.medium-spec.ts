import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Compilers write what is wrong to standard output, which the error of a failed command leaves out. */
async function run(
  command: string,
  args: readonly string[],
  options: { cwd: string; env?: NodeJS.ProcessEnv },
) {
  try {
    return await execute(command, args, options);
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${command} ${args.join(' ')}\n${stdout}\n${stderr}`, { cause: error });
  }
}
const root = fileURLToPath(new URL('../..', import.meta.url));

const COPIED = [
  ...[
    'package.json',
    'pnpm-workspace.yaml',
    'pnpm-lock.yaml',
    'nx.json',
    'jest.config.js',
    'tools/bootstrap/test-environment.mjs',
    'eslint.config.js',
    '.prettierrc.json',
  ],
  ...['tsconfig.json', 'tsconfig.base.json', 'tsconfig.check.json', 'tools/lint', 'tools/generators'],
  ...[
    'libs/contracts',
    'libs/core/primitives',
    'libs/core/paxos',
    'libs/core/balancer',
    'libs/core/hash-ring',
  ],
];

interface Manifest {
  readonly name: string;
  readonly dependencies?: Record<string, string>;
}

const readManifest = async (folder: string) =>
  JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Manifest;

/** What `pnpm install` would do: links from a package to those it depends on. */
async function linkDependencies(workspace: string, folder: string): Promise<void> {
  const { dependencies = {} } = await readManifest(join(workspace, folder));
  for (const name of Object.keys(dependencies)) {
    const own = { '@ringleader/contracts': 'libs/contracts' }[name];
    const target = name.startsWith('@ringleader/')
      ? join(workspace, own ?? `libs/core/${basename(name)}`)
      : await realpath(join(root, folder, 'node_modules', name));
    const link = join(workspace, folder, 'node_modules', name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(target, link);
  }
}

/** A small copy of the workspace: what is generated must not disturb the real one. */
async function copyWorkspace(): Promise<string> {
  const workspace = await mkdtemp(join(await realpath(tmpdir()), 'ringleader-generate-'));
  // Without the tests of what is copied: they are not what is tested here.
  const filter = (source: string) =>
    !['node_modules', 'dist'].includes(basename(source)) && !source.endsWith('spec.ts');
  for (const path of COPIED) await cp(join(root, path), join(workspace, path), { recursive: true, filter });
  for (const folder of ['apps', 'tests', 'tools']) await mkdir(join(workspace, folder), { recursive: true });
  await symlink(join(root, 'node_modules'), join(workspace, 'node_modules'));
  for (const folder of COPIED.filter((path) => path.startsWith('libs/')))
    await linkDependencies(workspace, folder);
  return workspace;
}

describe('the generators', () => {
  let workspace: string;
  const program = () => join(workspace, 'tools/generators/generate.mjs');

  beforeAll(async () => {
    workspace = await copyWorkspace();
  });
  afterAll(() => rm(workspace, { recursive: true, force: true }));

  it('make packages that lint, type check and pass their tests', async () => {
    await run(process.execPath, [program(), 'core', 'gossip-protocol'], { cwd: workspace });
    await run(process.execPath, [program(), 'contract', 'lock-service'], { cwd: workspace });
    await run(process.execPath, [program(), 'adapter', 'object-store'], { cwd: workspace });
    await linkDependencies(workspace, 'libs/core/gossip-protocol');
    await linkDependencies(workspace, 'libs/adapters/object-store');

    const generated = [
      'libs/core/gossip-protocol',
      'libs/contracts/src/control',
      'libs/adapters/object-store',
    ];
    const bin = (name: string) => join(root, 'node_modules/.bin', name);
    const inWorkspace = { cwd: workspace, env: { ...process.env, NX_DAEMON: 'false' } };
    await run(bin('tsc'), ['-p', 'tsconfig.check.json'], inWorkspace);
    await run(bin('eslint'), generated, inWorkspace);
    await run(bin('prettier'), ['--check', ...generated], inWorkspace);
    const jest = [
      '--experimental-vm-modules',
      join(root, 'node_modules/jest/bin/jest.js'),
      '-w',
      '1',
      '--rootDir',
      workspace,
    ];
    const { stderr } = await run(
      process.execPath,
      [...jest, 'gossip-protocol', 'lock-service', 'object-store'],
      inWorkspace,
    );
    expect(stderr).toContain('4 passed, 4 total');
  }, 240_000);

  it('refuse what they cannot make, in one sentence', async () => {
    const failing = (...args: string[]) => run(process.execPath, [program(), ...args], { cwd: workspace });
    await expect(failing('core', 'paxos')).rejects.toThrow('exists already');
    await expect(failing('service', 'x')).rejects.toThrow('There is no generator "service"');
    await expect(failing('core', 'Bad Name')).rejects.toThrow('not a kebab-case name');
    await expect(failing('core', 'one', 'two')).rejects.toThrow('"two" is one word too many');
    await expect(failing('manifests', 'core')).rejects.toThrow('"core" is one word too many');
    await expect(failing('manifests', '--bogus')).rejects.toThrow(
      /generate\.mjs manifests --bogus\n\nUnknown option/,
    );
  });
});
