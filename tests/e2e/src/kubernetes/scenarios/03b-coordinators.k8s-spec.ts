/** Coordinators come and go under load, one after the other, and one that has lost its volume is another member. */
import { expect } from '@jest/globals';
import type { CoordinatorMembers } from '@ringleader/contracts';
import { until } from '@ringleader/testing-servers';
import type { ClusterUnderTest } from '../harness/cluster-under-test.js';
import { onKubernetes } from '../harness/given.js';
import { survive } from '../harness/loaded-cluster.js';
import { scenario } from '../harness/scenario.js';
import type { TimeLine } from '../harness/time-line.js';

const CHANGE_MS = 300_000;

interface Hashes {
  readonly consistent: boolean;
  readonly members: readonly { readonly name: string }[];
}

const groupOf = (cluster: ClusterUnderTest): Promise<CoordinatorMembers> =>
  cluster.ask<CoordinatorMembers>('/v1/cluster/coordinator/members');

/** Resolves when that many are in the group, all with the same store, and nothing is left of others. */
async function becomes(cluster: ClusterUnderTest, line: TimeLine, replicas: number): Promise<void> {
  await cluster.patch({ coordinators: { replicas } });
  await untilComplete(cluster, replicas);
  line.mark(`${replicas} coordinators`);
}

async function untilComplete(cluster: ClusterUnderTest, replicas: number): Promise<void> {
  const names = Array.from({ length: replicas }, (_, i) => `coordinator-${i + 1}`);
  const isComplete = async (): Promise<boolean> => {
    if (!(await cluster.isSettled())) return false;
    const { members, joint } = await groupOf(cluster);
    const voters = members.filter(({ role }) => role !== 'learner').map(({ name }) => name);
    return !joint && JSON.stringify(voters.toSorted()) === JSON.stringify(names);
  };
  await until(`${replicas} coordinators vote`, isComplete, { timeoutMs: CHANGE_MS, everyMs: 250 });
  const { consistent, members } = await cluster.ask<Hashes>('/v1/cluster/coordinator/hash');
  expect({ consistent, members: members.map(({ name }) => name).toSorted() }).toEqual({
    ...{ consistent: true, members: names },
  });
  // One that is deleted stays for as long as a pod that is ending may use it.
  const claims = JSON.stringify(names.map((name) => `data-demo-${name}`));
  const areTheirs = async (): Promise<boolean> =>
    JSON.stringify(await cluster.claims('coordinator')) === claims;
  await until(`the claims of coordinators are ${claims}`, areTheirs, { timeoutMs: CHANGE_MS, everyMs: 250 });
  expect((await cluster.read()).status?.coordinators).toMatchObject({ replicas, readyReplicas: replicas });
}

onKubernetes('coordinators', {}, (of) => {
  scenario('from 3 to 5 and back under load', of, async ({ cluster, line }) => {
    await survive(cluster, line, {
      name: 'coordinators',
      fault: async () => {
        await becomes(cluster, line, 5);
        await becomes(cluster, line, 3);
      },
    });
  });

  scenario('from 3 to 1 and back under load', of, async ({ cluster, line }) => {
    const { id } = (await groupOf(cluster)).members.find(({ name }) => name === 'coordinator-1') ?? {};
    await survive(cluster, line, {
      name: 'coordinator',
      fault: async () => {
        await becomes(cluster, line, 1);
        // The one that is left is who it was; the others come as new ones, with nothing.
        expect((await groupOf(cluster)).members).toMatchObject([{ id, role: 'leader' }]);
        await becomes(cluster, line, 3);
      },
    });
  });

  for (const lost of ['a follower', 'the leader'] as const) {
    scenario(`${lost} loses its volume under load`, of, async ({ cluster, line }) => {
      const before = await groupOf(cluster);
      const { name = '' } =
        before.members.find(({ role }) => (role === 'leader') === (lost === 'the leader')) ?? {};
      await survive(cluster, line, {
        name: `lost-${lost.replaceAll(' ', '-')}`,
        fault: async () => {
          await cluster.loseVolume(await cluster.pod(`${cluster.name}-${name}`));
          line.mark(`the volume of ${name} is gone`);
          const idOf = async (): Promise<string | undefined> =>
            (await groupOf(cluster)).members.find((member) => member.name === name)?.id;
          const old = before.members.find((member) => member.name === name)?.id;
          const isAnother = async (): Promise<boolean> =>
            idOf().then(
              (id) => id !== undefined && id !== old,
              // While nobody leads, nobody says who is a member.
              () => false,
            );
          await until(`${name} is another`, isAnother, { timeoutMs: CHANGE_MS, everyMs: 250 });
          line.mark(`${name} is in the group under another id`);
          await untilComplete(cluster, 3);
        },
      });
      const after = await groupOf(cluster);
      const isSame = after.members
        .toSorted((a, b) => a.name.localeCompare(b.name))
        .map((member) => [member.name, before.members.some(({ id }) => id === member.id)]);
      expect(isSame).toEqual([1, 2, 3].map((n) => [`coordinator-${n}`, `coordinator-${n}` !== name]));
    });
  }
});
