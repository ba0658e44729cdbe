import { describe, expect, it } from '@jest/globals';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EVENT_LOOP_LOOKS_EVERY_MS, createMetrics } from '@ringleader/observability';
import { parse } from 'yaml';
import { generatedFiles } from './generated-files.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: { readonly severity: string };
  readonly annotations: {
    readonly summary: string;
    readonly description: string;
    readonly runbook_url: string;
  };
}
const { spec } = parse(read('k8s/monitoring/alerts.yaml')) as {
  spec: { groups: readonly { rules: readonly Rule[] }[] };
};
const alerts = spec.groups.flatMap(({ rules }) => rules);

/**
 * Names of figures in the sources: those that stand there whole, and for each prefix that a file gives to its figures every
 * word of that file with it. That is more than there are, and no name that is misspelt.
 */
function figuresOfSources(): Set<string> {
  const files = globSync('{apps,libs/adapters}/**/src/**/*.ts', { cwd: root }).filter(
    (file) => !file.includes('node_modules') && !file.endsWith('spec.ts'),
  );
  const names = files.flatMap((file) => {
    const text = read(file);
    const literals = [...text.matchAll(/['`]([a-z0-9_]+)['`]/g)].map(([, word]) => word ?? '');
    const prefixes = literals.filter((word) => /^ringleader_.*_$/.test(word));
    return [...literals, ...prefixes.flatMap((prefix) => literals.map((word) => prefix + word))];
  });
  return new Set(names.filter((name) => name.startsWith('ringleader_') && !name.endsWith('_')));
}

async function figures(): Promise<Set<string>> {
  const ofEachProcess = (await createMetrics({}).getMetricsAsJSON()).map(({ name }) => name);
  return new Set([...figuresOfSources(), ...ofEachProcess]);
}

const figuresIn = (text: string): string[] => [...new Set(text.match(/\bringleader_[a-z0-9_]+/g))];
const base = (name: string): string => name.replace(/_(bucket|sum|count)$/, '');
const missingIn = (known: ReadonlySet<string>, names: readonly string[]): string[] =>
  names.filter((name) => !known.has(name) && !known.has(base(name)));

describe('alerts and dashboard', () => {
  it.each(['alerts.yaml', 'dashboard.json'])('ask for figures that exist: %s', async (file) => {
    const known = await figures();
    const asked = figuresIn(read(`k8s/monitoring/${file}`));
    expect(asked.length).toBeGreaterThan(5);
    expect(missingIn(known, asked)).toEqual([]);
  });

  it.each(['OPERATIONS.md', 'KUBERNETES.md', 'RUNBOOKS.md'])('so do those of docs/%s', async (file) => {
    const known = await figures();
    // Schemas of databases are called so, too.
    const named = figuresIn(read(`docs/${file}`)).filter((name) => !/_forgotten_|_$/.test(name));
    expect(named.length).toBeGreaterThan(1);
    expect(missingIn(known, named)).toEqual([]);
  });

  it('have a runbook for each alert, and no others', () => {
    expect(alerts).toHaveLength(8);
    const runbooks = [...read('docs/RUNBOOKS.md').matchAll(/^## (Ringleader\w+)$/gm)].map(([, name]) => name);
    expect(runbooks).toEqual(alerts.map(({ alert }) => alert));
    // A file of the repository, and a heading in it.
    for (const { alert, annotations } of alerts)
      expect(annotations.runbook_url).toBe(`docs/RUNBOOKS.md#${alert.toLowerCase()}`);
  });

  it('name their runbooks at the address at which they are served', async () => {
    const files = await generatedFiles(root, { runbooks: 'https://wiki.example.com/runbooks' });
    for (const name of ['alerts.yaml', 'tests/alerts.test.yaml']) {
      const text = files.get(`k8s/monitoring/${name}`) ?? '';
      const bases = [...text.matchAll(/runbook_url: (?:&\w+ )?(\S+)#\w+$/gm)].map(([, address]) => address);
      expect(bases).toHaveLength(8);
      expect(new Set(bases)).toEqual(new Set(['https://wiki.example.com/runbooks']));
    }
  });

  it('are each seen to fire, and not to, by promtool', () => {
    const { tests } = parse(read('k8s/monitoring/tests/alerts.test.yaml')) as {
      tests: { alert_rule_test: { alertname: string; exp_alerts: object[] }[] }[];
    };
    const cases = tests.flatMap(({ alert_rule_test }) => alert_rule_test);
    const named = (wanted: (fired: object[]) => boolean): string[] =>
      [
        ...new Set(cases.filter(({ exp_alerts }) => wanted(exp_alerts)).map(({ alertname }) => alertname)),
      ].sort();
    const all = alerts.map(({ alert }) => alert).sort();
    expect(named((fired) => fired.length > 0)).toEqual(all);
    expect(named((fired) => fired.length === 0)).toEqual(all);
  });

  it('show whatever an alert looks at', () => {
    const shown = new Set(figuresIn(read('k8s/monitoring/dashboard.json')).map(base));
    const asked = alerts.flatMap(({ expr }) => figuresIn(expr).map(base));
    expect(asked.filter((name) => !shown.has(name))).toEqual([]);
  });

  it('show how late the event loop is, without the time between two looks at it', () => {
    const { panels } = JSON.parse(read('k8s/monitoring/dashboard.json')) as {
      panels: { targets?: { expr: string }[] }[];
    };
    const asked = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    const ofLoop = asked.filter((expr) => /nodejs_eventloop_lag_\w+_seconds/.test(expr));
    expect(ofLoop).toHaveLength(1);
    for (const expr of ofLoop) expect(expr).toMatch(new RegExp(`} - ${EVENT_LOOP_LOOKS_EVERY_MS / 1_000}$`));
  });

  it('show each panel with a sentence on what it shows', () => {
    const { panels } = JSON.parse(read('k8s/monitoring/dashboard.json')) as {
      panels: { type: string; title: string; description?: string }[];
    };
    const silent = panels.filter(({ type, description }) => type !== 'row' && !description?.endsWith('.'));
    expect(silent).toEqual([]);
  });
});
