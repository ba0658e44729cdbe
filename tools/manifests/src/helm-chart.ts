/**
 * The Helm chart, from the same manifests that `kubectl apply -k k8s/` takes: what is a value there becomes one here, everything
 * else stays as it is, comments included.
 */
import { parseAllDocuments, stringify, type Document } from 'yaml';

export const CHART_FOLDER = 'k8s/helm/ringleader';
/** Of the manifests. Everything that names it goes by the value. */
const NAMESPACE = 'ringleader-system';
const HEAD = '# Generated from k8s/base by `npm run generate -- manifests`. Change it there.\n';

const STYLE = { lineWidth: 0, flowCollectionPadding: false } as const;

const DEPLOYMENT = 'Deployment';
/** The role that gateways have, where its owner has bound it to them. */
const TOKEN_REVIEW = 'ringleader-token-review';
const POD = ['spec', 'template', 'spec'];
const CONTAINER = [...POD, 'containers', 0];

/** A word that YAML leaves alone, for an expression that is put in its place when the text is written. */
const EXPRESSIONS: Readonly<Record<string, string>> = {
  HELM_REPLICAS: '{{ .Values.replicas }}',
  HELM_IMAGE: '"{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"',
  HELM_PULL_POLICY: '{{ .Values.image.pullPolicy }}',
  HELM_PULL_SECRETS: '{{- toYaml .Values.image.pullSecrets | nindent 8 }}',
  HELM_RESOURCES: '{{- toYaml .Values.resources | nindent 12 }}',
};

interface Operator {
  readonly image: string;
  readonly replicas: number;
  readonly resources: object;
}

const documentsOf = (text: string): Document.Parsed[] =>
  parseAllDocuments(text).filter((document): document is Document.Parsed => 'contents' in document);

/** What pods of clusters name, which go on when the chart goes: none of them could be made anew. */
function outlivesChart(document: Document.Parsed): boolean {
  return document.get('kind') === 'PriorityClass' || document.getIn(['metadata', 'name']) === TOKEN_REVIEW;
}

const keep = (document: Document.Parsed): void =>
  document.setIn(['metadata', 'annotations'], { 'helm.sh/resource-policy': 'keep' });

function templated(document: Document.Parsed): string {
  if (outlivesChart(document)) keep(document);
  if (document.get('kind') === DEPLOYMENT) {
    document.setIn(['spec', 'replicas'], 'HELM_REPLICAS');
    document.setIn([...POD, 'imagePullSecrets'], 'HELM_PULL_SECRETS');
    document.setIn([...CONTAINER, 'image'], 'HELM_IMAGE');
    document.setIn([...CONTAINER, 'imagePullPolicy'], 'HELM_PULL_POLICY');
    document.setIn([...CONTAINER, 'resources'], 'HELM_RESOURCES');
  }
  const text = document.toString(STYLE).replace(/^---\n/, '');
  // Helm would take these for its own.
  if (text.includes('{{')) throw new Error('A manifest has braces that mean something to Helm');
  const whole = text
    .replaceAll(NAMESPACE, '{{ .Values.namespace }}')
    .replaceAll(/HELM_[A-Z_]+/g, (word) => EXPRESSIONS[word] ?? word);
  if (document.get('kind') !== 'Namespace') return whole;
  return `{{- if .Values.createNamespace }}\n${whole.trimEnd()}\n{{- end }}\n`;
}

/** Helm deletes what it made; with the definition all clusters would go, and with them their data. */
function keptDefinition(text: string): string {
  const [document] = documentsOf(text);
  if (document === undefined) throw new Error('The definition is empty');
  keep(document);
  return document.toString(STYLE);
}

function operatorOf(files: ReadonlyMap<string, string>): Operator {
  const manifests = [...files.values()].flatMap(documentsOf);
  const deployment = manifests.find((document) => document.get('kind') === DEPLOYMENT);
  if (deployment === undefined) throw new Error('k8s/base has no Deployment');
  const { spec } = deployment.toJS() as {
    spec: { replicas: number; template: { spec: { containers: [{ image: string; resources: object }] } } };
  };
  const [{ image, resources }] = spec.template.spec.containers;
  return { image, replicas: spec.replicas, resources };
}

const chart = (version: string): string => `apiVersion: v2
name: ringleader
description: The Ringleader operator, and what a RingleaderCluster is.
type: application
version: ${version}
appVersion: ${version}
kubeVersion: '>=1.30.0-0'
`;

const values = ({ image, replicas, resources }: Operator): string => `# Where the operator runs.
namespace: ${NAMESPACE}
# Whether the chart makes that namespace, with the labels that keep all privileges out of it.
createNamespace: true

image:
  repository: ${image.slice(0, image.lastIndexOf(':'))}
  # Absent: the version of the chart.
  tag: ''
  pullPolicy: IfNotPresent
  # As in a pod: [{name: SECRET}].
  pullSecrets: []

# One leads; the others wait to take over.
replicas: ${replicas}

# Of each.
${stringify({ resources })}`;

const NOTES = `The operator runs in {{ .Values.namespace }}. A first cluster:

  kubectl create namespace demo
  kubectl apply -n demo -f - <<EOF
  apiVersion: ringleader.io/v1alpha1
  kind: RingleaderCluster
  metadata:
    name: demo
  spec:
    shards:
      replicas: 3
  EOF
  kubectl wait -n demo --for=condition=Available rl/demo --timeout=10m

\`kubectl explain rl.spec --recursive\` is its manual. Uninstalling the chart keeps the definition and what pods need, and so all clusters and their data; to have a
cluster deleted the operator must be there.
`;

export interface ChartSources {
  readonly version: string;
  /** Of k8s/base, by name. */
  readonly base: ReadonlyMap<string, string>;
  readonly definition: string;
}

/** By path below the root of the repository. */
export function helmChart({ version, base, definition }: ChartSources): ReadonlyMap<string, string> {
  const templates = [...base].map(([name, text]): [string, string] => [
    `${CHART_FOLDER}/templates/${name}`,
    HEAD + documentsOf(text).map(templated).join('---\n'),
  ]);
  return new Map([
    [`${CHART_FOLDER}/Chart.yaml`, HEAD + chart(version)],
    [`${CHART_FOLDER}/values.yaml`, HEAD + values(operatorOf(base))],
    [`${CHART_FOLDER}/templates/NOTES.txt`, NOTES],
    [`${CHART_FOLDER}/templates/ringleaderclusters.yaml`, HEAD + keptDefinition(definition)],
    ...templates,
  ]);
}
