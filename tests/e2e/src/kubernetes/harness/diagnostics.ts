/** What a person would look at first when a scenario has failed: what happened, which pods are not ready, and what these say. */
import type { KubeObject, KubernetesApi } from './api.js';
import { isReady, POD, type Pod } from './pods.js';

interface Event extends KubeObject {
  readonly lastTimestamp?: string;
  readonly eventTime?: string;
  readonly reason: string;
  readonly message?: string;
  readonly note?: string;
  readonly involvedObject: { readonly kind: string; readonly name: string };
}

const EVENTS_MAX = 50;
const LINE_MAX = 1_000;
const EVENT = { apiVersion: 'v1', kind: 'Event' } as const;

const timeOf = ({ lastTimestamp, eventTime, metadata }: Event): string =>
  lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? '';

async function events(api: KubernetesApi, namespace: string): Promise<string[]> {
  const found = await api.list<Event>(EVENT, namespace);
  return found
    .toSorted((a, b) => timeOf(a).localeCompare(timeOf(b)))
    .slice(-EVENTS_MAX)
    .map((event) => {
      const { kind, name } = event.involvedObject;
      return `${timeOf(event)} ${kind}/${name} ${event.reason}: ${event.message ?? event.note ?? ''}`;
    });
}

function podLine(pod: Pod): string {
  const statuses = [...(pod.status.initContainerStatuses ?? []), ...(pod.status.containerStatuses ?? [])];
  const containers = statuses.map(({ name, ready, restartCount, state }) => {
    const why =
      state?.waiting?.reason ?? (state?.terminated === undefined ? '' : `exit ${state.terminated.exitCode}`);
    return `${name}(${ready ? 'ready' : 'not ready'}, ${restartCount} restarts${why === '' ? '' : `, ${why}`})`;
  });
  const going = pod.metadata.deletionTimestamp === undefined ? '' : ', terminating';
  const where = pod.spec.nodeName ?? 'no node';
  return `${pod.metadata.name} on ${where}: ${pod.status.phase}${going} ${containers.join(' ')}`;
}

async function logs(api: KubernetesApi, namespace: string, pods: readonly Pod[]): Promise<string[]> {
  const lines: string[] = [];
  for (const pod of pods) {
    const statuses = [...(pod.status.initContainerStatuses ?? []), ...(pod.status.containerStatuses ?? [])];
    for (const { name, ready, restartCount } of statuses.filter((status) => !status.ready)) {
      const which = restartCount > 0 && !ready ? { previous: 'true' } : {};
      lines.push(`--- ${pod.metadata.name}, ${name}`);
      lines.push(await api.logs(namespace, pod.metadata.name, name));
      if (restartCount > 0)
        lines.push('--- before', await api.logs(namespace, pod.metadata.name, name, which));
    }
  }
  return lines;
}

/** Without the stacks of errors, and no line longer than a screen. */
const shortened = (text: string): string =>
  text
    .split('\n')
    .map((line) => line.replaceAll(/"stack":"[^"]*",?/g, '').slice(0, LINE_MAX))
    .join('\n');

export async function diagnose(api: KubernetesApi, namespace: string, cluster: KubeObject | null) {
  const pods = await api.list<Pod>(POD, namespace);
  const operators = await api.list<Pod>(POD, 'ringleader-system');
  const said = await Promise.all(
    operators.map(async ({ metadata: { name }, spec: { containers } }) => [
      `--- ${name}`,
      await api.logs('ringleader-system', name, containers[0]?.name ?? '', { tailLines: '60' }),
    ]),
  );
  const parts: readonly (readonly [string, readonly string[]])[] = [
    [
      'the cluster',
      [JSON.stringify(cluster, (name, value: unknown) => (name === 'managedFields' ? undefined : value))],
    ],
    ['events', await events(api, namespace)],
    ['pods', pods.map(podLine)],
    [
      'logs of what is not ready',
      await logs(
        api,
        namespace,
        pods.filter((pod) => !isReady(pod)),
      ),
    ],
    ['logs of the operator', said.flat()],
  ];
  return parts.map(([title, lines]) => `=== ${title}\n${lines.map(shortened).join('\n')}`).join('\n');
}
