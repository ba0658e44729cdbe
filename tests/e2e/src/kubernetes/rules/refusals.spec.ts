/** That each rule of the definition of a RingleaderCluster has a case which the API server is to refuse by it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { workspaceRoot } from '@ringleader/testing-servers';
import { parse } from 'yaml';
import { REFUSALS } from './refusals.js';

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema;
  readonly pattern?: string;
  readonly 'x-kubernetes-validations'?: readonly { readonly message: string }[];
}
interface Definition {
  readonly spec: { readonly versions: readonly { readonly schema: { readonly openAPIV3Schema: Schema } }[] };
}

/** As `PATH: SENTENCE`, of all rules and patterns. */
function rulesOf(schema: Schema, path = ''): string[] {
  const { properties = {}, items, additionalProperties, pattern } = schema;
  const sentences = (schema['x-kubernetes-validations'] ?? []).map(({ message }) => message);
  const below = (name: string): string => (path === '' ? name : `${path}.${name}`);
  return [
    ...[...sentences, ...(pattern === undefined ? [] : [pattern])].map((sentence) => `${path}: ${sentence}`),
    ...Object.entries(properties).flatMap(([name, field]) => rulesOf(field, below(name))),
    ...(items === undefined ? [] : rulesOf(items, `${path}[0]`)),
    ...(additionalProperties === undefined ? [] : rulesOf(additionalProperties, below('*'))),
  ];
}

describe('the rules of a RingleaderCluster', () => {
  it('have each a case that is refused by it, and no case is for a rule that is not there', () => {
    const file = join(workspaceRoot(), 'k8s', 'crds', 'ringleader.io_ringleaderclusters.yaml');
    const { spec } = parse(readFileSync(file, 'utf8')) as Definition;
    const rules = spec.versions.flatMap(({ schema }) => rulesOf(schema.openAPIV3Schema));
    expect(rules.length).toBeGreaterThan(25);
    const tried = new Set(REFUSALS.map(({ path, sentence }) => `${path}: ${sentence}`));
    expect([...tried].sort()).toEqual([...new Set(rules)].sort());
  });

  it('have cases that differ in what they say', () => {
    const all = REFUSALS.map(({ what }) => what);
    expect(new Set(all).size).toBe(all.length);
  });
});
