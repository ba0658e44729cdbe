/** The files below k8s/ that are generated: committed, and held against this by a test. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RINGLEADER_VERSION } from '@ringleader/contracts';
import * as prettier from 'prettier';
import { stringify } from 'yaml';
import { customResourceDefinition } from './custom-resource-definition.js';
import { CHART_FOLDER, helmChart } from './helm-chart.js';

const HEAD = '# Generated from libs/contracts by `npm run generate -- manifests`. Change it there.\n';
/** No YAML before Helm has been at them. */
const TEMPLATES = `${CHART_FOLDER}/templates/`;

export const CRD_FILE = 'k8s/crds/ringleader.io_ringleaderclusters.yaml';
const BASE_FOLDER = 'k8s/base';

async function baseManifests(root: string): Promise<ReadonlyMap<string, string>> {
  const names = (await readdir(join(root, BASE_FOLDER))).sort();
  const manifests = names.filter((name) => name.endsWith('.yaml') && name !== 'kustomization.yaml');
  const read = manifests.map(
    async (name) => [name, await readFile(join(root, BASE_FOLDER, name), 'utf8')] as const,
  );
  return new Map(await Promise.all(read));
}

/** Where runbooks are read: in a copy of the repository, unless somebody serves them elsewhere. */
export const RUNBOOKS = 'docs/RUNBOOKS.md';
const ALERT_FILES = ['k8s/monitoring/alerts.yaml', 'k8s/monitoring/tests/alerts.test.yaml'];

/** Of these only the addresses of the runbooks are generated. */
async function alertFiles(root: string, runbooks: string): Promise<readonly (readonly [string, string])[]> {
  const read = ALERT_FILES.map(async (path) => {
    const text = await readFile(join(root, path), 'utf8');
    return [path, text.replace(/(runbook_url: (?:&\w+ )?)[^\s#]+#/g, `$1${runbooks}#`)] as const;
  });
  return Promise.all(read);
}

/** By path below the root of the repository. `runbooks`: the address of the page that has them all. */
export async function generatedFiles(
  root: string,
  { runbooks = RUNBOOKS }: { readonly runbooks?: string | undefined } = {},
): Promise<ReadonlyMap<string, string>> {
  const style = JSON.parse(await readFile(join(root, '.prettierrc.json'), 'utf8')) as prettier.Options;
  const definition =
    HEAD + stringify(customResourceDefinition(), { lineWidth: 0, aliasDuplicateObjects: false });
  const base = await baseManifests(root);
  const files = [
    [CRD_FILE, definition] as const,
    ...helmChart({ version: RINGLEADER_VERSION, base, definition }),
    ...(await alertFiles(root, runbooks)),
  ];
  const formatted = files.map(async ([path, text]) => {
    if (path.startsWith(TEMPLATES)) return [path, text] as const;
    return [path, await prettier.format(text, { ...style, filepath: path })] as const;
  });
  return new Map(await Promise.all(formatted));
}
