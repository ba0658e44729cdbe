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

/** By path below the root of the repository. */
export async function generatedFiles(root: string): Promise<ReadonlyMap<string, string>> {
  const style = JSON.parse(await readFile(join(root, '.prettierrc.json'), 'utf8')) as prettier.Options;
  const definition =
    HEAD + stringify(customResourceDefinition(), { lineWidth: 0, aliasDuplicateObjects: false });
  const base = await baseManifests(root);
  const files = [
    [CRD_FILE, definition] as const,
    ...helmChart({ version: RINGLEADER_VERSION, base, definition }),
  ];
  const formatted = files.map(async ([path, text]) => {
    if (path.startsWith(TEMPLATES)) return [path, text] as const;
    return [path, await prettier.format(text, { ...style, filepath: path })] as const;
  });
  return new Map(await Promise.all(formatted));
}
