/** The files below k8s/ that are generated: committed, and held against this by a test. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as prettier from 'prettier';
import { stringify } from 'yaml';
import { customResourceDefinition } from './custom-resource-definition.js';

const HEAD = '# Generated from libs/contracts by `npm run generate -- manifests`. Change it there.\n';

export const CRD_FILE = 'k8s/crds/ringleader.io_ringleaderclusters.yaml';

const yamlOf = (value: unknown): string =>
  HEAD + stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });

/** By path below the root of the repository. */
export async function generatedFiles(root: string): Promise<ReadonlyMap<string, string>> {
  const style = JSON.parse(await readFile(join(root, '.prettierrc.json'), 'utf8')) as prettier.Options;
  const files = [[CRD_FILE, yamlOf(customResourceDefinition())]] as const;
  const formatted = files.map(
    async ([path, text]) => [path, await prettier.format(text, { ...style, filepath: path })] as const,
  );
  return new Map(await Promise.all(formatted));
}
