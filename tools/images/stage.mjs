/**
 * Lays out what goes into the image, in a folder: what was built, and the packages that it needs in production, exactly as the
 * lockfile says and as pnpm links them. No sources, tests, types or tools.
 */
import { globSync, readFileSync } from 'node:fs';
import { chmod, cp, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PNPM, root, runTool } from '../bootstrap/prepare.mjs';

export const PROGRAMS = ['coordinator', 'shard', 'gateway', 'failure-detector', 'operator', 'cli'].map(
  (name) => `apps/${name}`,
);
/** Of the root, besides all package.json: what pnpm installs by. */
const WORKSPACE_FILES = ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', '.npmrc'];
/** What packages bring along that nothing reads while it runs. */
const UNREAD = '**/*.{d.ts,d.mts,d.cts,map,md,markdown}';
const LICENCES = /licen[cs]e|notice|copying/i;
/** As docker calls them: as npm calls them. */
const ARCHITECTURES = { amd64: 'x64', arm64: 'arm64' };

const manifestOf = (folder) => JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));

/** Folders of the programs' own packages and of all that these use, by the workspace's names. */
export function closure(programs) {
  const folders = globSync('{apps,libs,tests,tools}/**/package.json', {
    cwd: root,
    exclude: (name) => name === 'node_modules' || name === 'dist',
  }).map((file) => dirname(file));
  const byName = new Map(folders.map((folder) => [manifestOf(folder).name, folder]));
  const found = new Set();
  const visit = (folder) => {
    if (found.has(folder)) return;
    found.add(folder);
    const { dependencies = {} } = manifestOf(folder);
    for (const name of Object.keys(dependencies)) if (byName.has(name)) visit(byName.get(name));
  };
  programs.forEach(visit);
  return { needed: [...found].sort(), all: folders };
}

async function install(stage, cpu, folders) {
  const platform = cpu === process.arch && process.platform === 'linux' ? [] : ['--os=linux', `--cpu=${cpu}`];
  const filters = ['.', ...folders.map((folder) => `./${folder}`)].map((it) => `--filter=${it}`);
  const flags = ['--prod', '--frozen-lockfile', '--prefer-offline', '--ignore-scripts', ...platform];
  const args = ['exec', '--yes', `--package=${PNPM}`, '--', 'pnpm', ...filters, 'install', ...flags];
  await runTool('npm', args, () => 'The packages of the image could not be installed.', stage);
}

/** @nestjs/swagger takes it for a plugin of the compiler: a peer that the workspace has for its own use, and no service loads. */
const UNUSED = ['typescript'];

async function prune(stage, cpu) {
  const options = { cwd: join(stage, 'node_modules/.pnpm') };
  const unread = globSync(UNREAD, options).filter((path) => !LICENCES.test(path));
  // Native code comes built for everything that there is.
  const foreign = globSync('*/node_modules/*/prebuilds/*', options).filter(
    (path) => !path.endsWith(`linux-${cpu}`),
  );
  // Of Node: only the program.
  const rest = globSync('*/node_modules/node-linux-*/{include,share,CHANGELOG.md}', options);
  const unused = UNUSED.flatMap((name) =>
    globSync([`${name}@*`, `{.,*}/node_modules/${name}`, '**/.bin/{tsc,tsserver}'], options),
  );
  for (const path of [...unread, ...foreign, ...rest, ...unused])
    await rm(join(options.cwd, path), { recursive: true, force: true });
}

async function copyBuilt(stage, folder) {
  for (const part of ['dist', 'page']) {
    const wanted = (path) => !/\.(d\.ts|map|tsbuildinfo)$/.test(path);
    const from = join(root, folder, part);
    await cp(from, join(stage, folder, part), { recursive: true, filter: wanted }).catch((error) => {
      // Not each has a page; what was not built is found by who imports it.
      if (error.code !== 'ENOENT') throw error;
    });
  }
}

async function copyWorkspace(stage, folders) {
  const files = [...WORKSPACE_FILES, ...folders.map((folder) => join(folder, 'package.json'))];
  for (const file of files) {
    await mkdir(dirname(join(stage, file)), { recursive: true });
    await cp(join(root, file), join(stage, file)).catch((error) => {
      if (error.code !== 'ENOENT' || file !== '.npmrc') throw error;
    });
  }
}

async function writeLaunchers(stage, cpu) {
  const bin = join(stage, 'bin');
  await mkdir(bin);
  for (const name of ['ringleader', 'ringleader-service']) {
    await cp(join(root, 'k8s/images', name), join(bin, name));
    await chmod(join(bin, name), 0o755);
  }
  await symlink(`../node_modules/node-linux-${cpu}/bin/node`, join(bin, 'node'));
}

/** `architecture` as docker calls it. */
export async function stageImage(stage, architecture) {
  const cpu = ARCHITECTURES[architecture];
  if (cpu === undefined) throw new Error(`there is no packaged Node for ${architecture}`);
  const { needed, all } = closure(PROGRAMS);
  await rm(stage, { recursive: true, force: true });
  await copyWorkspace(stage, all);
  await install(stage, cpu, needed);
  for (const folder of all)
    if (!needed.includes(folder)) await rm(join(stage, folder), { recursive: true, force: true });
  await prune(stage, cpu);
  for (const folder of needed) await copyBuilt(stage, folder);
  await writeLaunchers(stage, cpu);
  // What is in the image is no workspace any more.
  for (const file of WORKSPACE_FILES) await rm(join(stage, file), { force: true });
  const { name, version, license } = manifestOf('.');
  await writeFile(join(stage, 'package.json'), JSON.stringify({ name, version, license, type: 'module' }));
}
