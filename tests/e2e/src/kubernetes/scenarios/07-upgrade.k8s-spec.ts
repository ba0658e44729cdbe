/** A rolling upgrade to a second image, one that does not exist, and the way back. */
import { expect } from '@jest/globals';
import { until } from '@ringleader/testing-servers';
import { answerTo, type ClusterUnderTest } from '../harness/cluster-under-test.js';
import { environment } from '../harness/environment.js';
import { onKubernetes } from '../harness/given.js';
import { survive } from '../harness/loaded-cluster.js';
import { isReady, type Pod } from '../harness/pods.js';
import { scenario } from '../harness/scenario.js';

const ROLL_MS = 900_000;
const WITHOUT = 'ringleader/ringleader:nobody-built-this';

const runs =
  (image: string) =>
  ({ spec: { containers } }: Pod): boolean =>
    containers.some((container) => container.image === image);

async function ours(cluster: ClusterUnderTest): Promise<readonly Pod[]> {
  const components = ['coordinator', 'shard', 'failure-detector', 'gateway'] as const;
  return (await Promise.all(components.map((component) => cluster.pods(component)))).flat();
}

onKubernetes('upgrade', {}, (of) => {
  scenario('a rolling upgrade under load', of, async ({ cluster, line }) => {
    await survive(cluster, line, {
      name: 'upgrade',
      fault: async () => {
        await cluster.patch({ images: { ringleader: environment.nextImage } });
        const isNew = async (): Promise<boolean> =>
          (await ours(cluster)).every(runs(environment.nextImage)) && (await cluster.isSettled());
        await until('all pods are new', isNew, { timeoutMs: ROLL_MS, everyMs: 500 });
      },
    });
  });

  scenario('a bad image takes one pod down, and going back heals', of, async ({ cluster, line }) => {
    await cluster.patch({ images: { ringleader: WITHOUT } });
    const why = async (): Promise<string> => {
      const { status } = await cluster.read();
      const degraded = status?.conditions?.find(({ type }) => type === 'Degraded');
      return degraded?.status === 'True' ? `${degraded.reason}: ${degraded.message}` : '';
    };
    const isNamed = async (): Promise<boolean> => /ImagePull/.test(await why());
    await until('the status says that the image cannot be had', isNamed, {
      timeoutMs: 180_000,
      everyMs: 500,
    });
    line.mark(await why());
    const stateful = [...(await cluster.pods('coordinator')), ...(await cluster.pods('shard'))];
    expect(stateful.filter((pod) => !isReady(pod))).toHaveLength(1);
    const client = await cluster.client(1);
    const written = await answerTo('a put', () => client.put('written/while/degraded', 'yes'));
    expect(written).toMatchObject({ code: '' });
    await client.close();
    await cluster.patch({ images: { ringleader: environment.image } });
    const isBack = async (): Promise<boolean> =>
      (await ours(cluster)).every(runs(environment.image)) && (await cluster.isSettled());
    await until('all pods are as they were', isBack, { timeoutMs: ROLL_MS, everyMs: 500 });
  });
});
