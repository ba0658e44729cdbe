import { execFileSync } from 'node:child_process';
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import * as prettier from 'prettier';
import * as templates from './templates.mjs';

const KINDS = { core: templates.core, contract: templates.contract, adapter: templates.adapter };

const USAGE = `Usage: pnpm generate <core|contract|adapter> <name>
       pnpm generate manifests [--runbooks ADDRESS]

Writes a new package (or, for a contract, a new file of libs/contracts) that passes lint, type check and its test.
The name is in kebab-case. Afterwards: pnpm install, so that others can import a new package.

manifests: writes what is generated below k8s/, from the contracts and k8s/base; alerts name runbooks at ADDRESS
(default: docs/RUNBOOKS.md, in the repository).`;

class UsageError extends Error {}

async function formatted(path, text) {
  return prettier.format(text, { ...(await prettier.resolveConfig(path)), filepath: path });
}

async function writeNew(path, text) {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, await formatted(path, text), { flag: 'wx' });
  console.log(`created ${path}`);
}

async function addReference(root, folder) {
  const path = join(root, 'tsconfig.json');
  const config = JSON.parse(await readFile(path, 'utf8'));
  config.references.push({ path: folder });
  await writeFile(path, await formatted(path, JSON.stringify(config, null, 2)));
}

export async function generate(root, kind, name) {
  const template = KINDS[kind];
  if (template === undefined) throw new UsageError(`There is no generator "${kind ?? ''}".`);
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name ?? ''))
    throw new UsageError(`"${name ?? ''}" is not a kebab-case name.`);
  const { folder, isPackage, files, appends } = template(name);
  const taken = Object.keys(files).find((file) => existsSync(join(root, folder, file)));
  if (taken !== undefined) throw new UsageError(`${join(folder, taken)} exists already.`);
  for (const [file, text] of Object.entries(files)) await writeNew(join(root, folder, file), text);
  for (const [file, text] of Object.entries(appends)) await appendFile(join(root, folder, file), text);
  if (isPackage) await addReference(root, folder);
}

/** From what stands in the sources now: what was built last may be older. */
async function generateManifests(runbooks) {
  if (/[\s#]|^$/.test(runbooks ?? '-'))
    throw new UsageError('--runbooks must be the address of a page, without spaces and #.');
  const tsc = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url));
  const project = fileURLToPath(new URL('../manifests', import.meta.url));
  execFileSync(process.execPath, [tsc, '-b', project], { stdio: 'inherit' });
  const main = fileURLToPath(new URL('../manifests/dist/main.js', import.meta.url));
  const options = runbooks === undefined ? [] : ['--runbooks', runbooks];
  execFileSync(process.execPath, [main, ...options], { stdio: 'inherit' });
}

function given() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h' },
        root: { type: 'string', default: process.cwd() },
        runbooks: { type: 'string' },
      },
    });
  } catch (cause) {
    throw new UsageError(`${cause.message}.`, { cause });
  }
}

async function main() {
  const { values, positionals } = given();
  if (values.help) return console.log(USAGE);
  const [kind, name, ...others] = positionals;
  const unexpected = kind === 'manifests' ? name : others[0];
  if (unexpected !== undefined) throw new UsageError(`"${unexpected}" is one word too many.`);
  if (kind === 'manifests') await generateManifests(values.runbooks);
  else await generate(values.root, kind, name);
}

try {
  await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\n\n${USAGE}`);
  process.exitCode = 1;
}
