import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { commonConfig } from './load-config.js';
import { unknownVariables } from './unknown-variables.js';

const APPS = fileURLToPath(new URL('../../../../apps', import.meta.url));
const DOCS = fileURLToPath(new URL('../../../../docs', import.meta.url));

/** What the schemas of all services declare. */
function declaredVariables(): string[] {
  const files = readdirSync(APPS).flatMap((app) =>
    readdirSync(join(APPS, app, 'src'))
      .filter((file) => file.endsWith('.config.ts'))
      .map((file) => readFileSync(join(APPS, app, 'src', file), 'utf8')),
  );
  const names = files.flatMap((text) =>
    [...text.matchAll(/^ {2,4}(RINGLEADER_\w+):/gm)].map(([, name]) => name),
  );
  return [...Object.keys(commonConfig), ...names.filter((name) => name !== undefined)];
}

const environmentOf = (names: readonly string[]): Record<string, string> =>
  Object.fromEntries(names.map((name) => [name, '1']));

describe('settings', () => {
  it('stand in the documents for operators, each with its whole name', () => {
    const text = ['OPERATIONS.md', 'KUBERNETES.md'].map((file) => readFileSync(join(DOCS, file), 'utf8'));
    const documented = new Set(text.join('\n').match(/RINGLEADER_\w+/g));
    const isAbsent = (name: string): boolean => !documented.has(name) && !documented.has(`${name}_FILE`);
    const ours = declaredVariables().filter((name) => name.startsWith('RINGLEADER_'));
    expect(ours.filter(isAbsent)).toEqual([]);
    expect(unknownVariables(environmentOf([...documented]), [])).toEqual([]);
  });
});

describe('unknownVariables', () => {
  it('knows what any service declares, since all may share one environment', () => {
    const all = declaredVariables();
    expect(all.length).toBeGreaterThan(50);
    expect(unknownVariables(environmentOf(all), [])).toEqual([]);
  });

  it('knows what the command reads, since a cluster may be started where that is used', () => {
    const options = readFileSync(join(APPS, 'cli/src/global-options.ts'), 'utf8');
    const names = [...options.matchAll(/env\(\s*'(RINGLEADER_\w+)'/g)].map(([, name = '']) => name);
    expect(names.length).toBeGreaterThan(2);
    expect(unknownVariables(environmentOf(names), [])).toEqual([]);
  });

  it.each([
    ['RINGLEADER_LEASE_MSS', 'is unknown; is RINGLEADER_LEASE_MS meant?'],
    ['RINGLEADER_POSTGRES_URI', 'is unknown; is RINGLEADER_POSTGRES_URL meant?'],
    ['RINGLEADER_POSTGRES_PASSWORD_FLIE', 'is unknown; is RINGLEADER_POSTGRES_PASSWORD_FILE meant?'],
    ['RINGLEADER_COMPLETELY_ELSEWHERE', 'is unknown'],
    ['RINGLEADER_SHARD_PORT', 'is unknown; is RINGLEADER_HTTP_PORT meant?'],
  ])('says of %s that it %s', (variable, message) => {
    expect(unknownVariables({ [variable]: '1' }, [])).toEqual([{ variable, message }]);
  });

  it('lets pass names of files, what is not of Ringleader, and what the schema declares itself', () => {
    const environment = { RINGLEADER_ZONE_FILE: 'f', LEASE_MSS: '1', RINGLEADER_OF_THE_SCHEMA: '1' };
    expect(unknownVariables(environment, ['RINGLEADER_OF_THE_SCHEMA'])).toEqual([]);
  });

  it('lets pass what Kubernetes tells of services that are called ringleader or begin so', () => {
    const address = 'tcp://10.0.0.7:8080';
    const links = {
      RINGLEADER_SERVICE_HOST: '10.0.0.7',
      RINGLEADER_SERVICE_PORT: '8080',
      RINGLEADER_PORT: address,
      RINGLEADER_PORT_8080_TCP: address,
      RINGLEADER_GATEWAY_SERVICE_HOST: '10.0.0.7',
      RINGLEADER_GATEWAY_SERVICE_PORT_HTTP: '8080',
      RINGLEADER_GATEWAY_PORT: address,
      RINGLEADER_GATEWAY_PORT_8080_TCP_PROTO: 'tcp',
      RINGLEADER_GATEWAY_PORT_8080_TCP_PORT: '8080',
      RINGLEADER_GATEWAY_PORT_8080_TCP_ADDR: '10.0.0.7',
    };
    expect(unknownVariables(links, [])).toEqual([]);
  });
});
