/**
 * The manifests, as the programs of others see them: promtool, kubeconform, helm and kubectl, each where it is on PATH (kubectl's
 * dry run where RINGLEADER_MANIFESTS_CLUSTER=yes, too). Everything that needs none of these is tested by itself.
 */
import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { parse, stringify } from 'yaml';
import { CHART_FOLDER } from './helm-chart.js';
import { KINDS_OF_OTHERS, schemasByKind } from './schemas.js';

interface Place {
  readonly root: string;
  /** An empty folder, deleted afterwards. */
  readonly scratch: string;
}
type Command = readonly [program: string, ...args: string[]];

interface Check {
  readonly name: string;
  readonly programs: readonly string[];
  readonly needsCluster?: true;
  readonly commands: (place: Place) => Promise<readonly Command[]> | readonly Command[];
}

interface Panel {
  readonly id: number;
  readonly targets?: readonly { readonly refId: string; readonly expr: string }[];
}

/** What the panels ask for, as rules: so that promtool reads it. Grafana puts an interval in. */
async function dashboardRules(root: string): Promise<object> {
  const { panels } = JSON.parse(await readFile(join(root, 'k8s/monitoring/dashboard.json'), 'utf8')) as {
    panels: readonly Panel[];
  };
  const rules = panels.flatMap(({ id, targets = [] }) =>
    targets.map(({ refId, expr }) => ({
      record: `panel:${id}${refId}`,
      expr: expr.replaceAll('$__rate_interval', '1m'),
    })),
  );
  return { groups: [{ name: 'dashboard', rules }] };
}

/** The rules as Prometheus itself reads them, beside their tests. */
async function rules({ root, scratch }: Place): Promise<readonly Command[]> {
  const { spec } = parse(await readFile(join(root, 'k8s/monitoring/alerts.yaml'), 'utf8')) as {
    spec: object;
  };
  const [file, tests] = [join(scratch, 'alerts.rules.yaml'), join(scratch, 'alerts.test.yaml')];
  await writeFile(file, stringify(spec));
  const ofDashboard = join(scratch, 'dashboard.rules.yaml');
  await writeFile(ofDashboard, stringify(await dashboardRules(root)));
  await cp(join(root, 'k8s/monitoring/tests/alerts.test.yaml'), tests);
  return [
    ['promtool', 'check', 'rules', '--lint-fatal', file],
    ['promtool', 'check', 'rules', ofDashboard],
    ['promtool', 'test', 'rules', tests],
  ];
}

/** As kubeconform looks them up: one file for each kind, by group (of the core: its version), version and kind. */
async function writeSchemas({ root, scratch }: Place): Promise<string> {
  const folder = join(scratch, 'schemas');
  await mkdir(folder);
  for (const [kind, schema] of await schemasByKind(root)) {
    const parts = kind.toLowerCase().split('/');
    const name = (parts.length === 2 ? [parts[0], ...parts] : parts).join('_');
    await writeFile(join(folder, `${name}.json`), JSON.stringify(schema));
  }
  return join(folder, '{{.Group}}_{{.ResourceAPIVersion}}_{{.ResourceKind}}.json');
}

async function conformity(place: Place): Promise<readonly Command[]> {
  const location = await writeSchemas(place);
  const folders = ['base', 'crds', 'overlays', 'samples', 'monitoring'].map((name) =>
    join(place.root, 'k8s', name),
  );
  const ignored = ['kustomization.yaml', 'tests/', '[.]json$'].flatMap((pattern) => [
    '-ignore-filename-pattern',
    pattern,
  ]);
  const others = ['-skip', KINDS_OF_OTHERS.join(',')];
  return [['kubeconform', '-strict', '-schema-location', location, ...others, ...ignored, ...folders]];
}

const chart = ({ root }: Place): string => join(root, CHART_FOLDER);

/** Of a helm that was not released, the default is 1.20. */
const KUBERNETES = ['--kube-version', '1.34.0'];
const VALUES = 'namespace=elsewhere,createNamespace=false,image.pullSecrets[0].name=registry';

const kustomizations = ['k8s', 'k8s/overlays/kind', 'k8s/overlays/production', 'k8s/monitoring'];

export const CHECKS: readonly Check[] = [
  { name: 'rules and their tests', programs: ['promtool'], commands: rules },
  { name: 'schemas', programs: ['kubeconform'], commands: conformity },
  {
    name: 'the chart',
    programs: ['helm'],
    commands: (place) => [
      ['helm', 'lint', '--strict', chart(place)],
      ['helm', 'template', 'ringleader', chart(place), ...KUBERNETES, '--set', VALUES],
    ],
  },
  {
    name: 'kustomizations',
    programs: ['kubectl'],
    commands: ({ root }) =>
      kustomizations.map((folder): Command => ['kubectl', 'kustomize', join(root, folder)]),
  },
  {
    name: 'the API server',
    programs: ['kubectl'],
    needsCluster: true,
    commands: ({ root }) => [
      ['kubectl', 'apply', '--dry-run=server', '-k', join(root, 'k8s')],
      ['kubectl', 'apply', '--dry-run=server', '-n', 'default', '-f', join(root, 'k8s/samples')],
    ],
  },
];

function isOnPath(program: string, path: string): boolean {
  return path.split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      // Not in this folder.
      return false;
    }
  });
}

export interface Surroundings {
  readonly path: string;
  readonly hasCluster: boolean;
}

/** Null: nothing. */
export function missingFor(
  { programs, needsCluster }: Check,
  { path, hasCluster }: Surroundings,
): string | null {
  const missing = programs.find((program) => !isOnPath(program, path));
  if (missing !== undefined) return `${missing} is not on PATH`;
  return needsCluster === true && !hasCluster ? 'RINGLEADER_MANIFESTS_CLUSTER is not yes' : null;
}

/** Throws with what the program said. */
export async function run({ commands }: Check, root: string): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'ringleader-manifests-'));
  try {
    for (const [program, ...args] of await commands({ root, scratch })) {
      await promisify(execFile)(program, args, { cwd: root, maxBuffer: 64 * 1_024 * 1_024 }).catch(
        (cause: unknown) => {
          const { stdout = '', stderr = '' } = cause as { stdout?: string; stderr?: string };
          throw new Error(`${program} ${args.join(' ')}\n${stdout}${stderr}`, { cause });
        },
      );
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
