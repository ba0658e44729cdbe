/** What a user stores over HTTPS with the administrator's token is read back; without a token nothing is. */
import { expect } from '@jest/globals';
import { Ledger, RestClient } from '@ringleader/testing-workload';
import { onKubernetes } from '../harness/given.js';
import { scenario } from '../harness/scenario.js';

const WRITES = 200;

onKubernetes('store and read', {}, (cluster) => {
  scenario('what was written is read back', cluster, async ({ cluster, line }) => {
    const client = await cluster.client(4);
    const ledger = new Ledger(client, `stored/${Date.now()}`);
    for (let written = 0; written < WRITES; written += 1) expect(await ledger.append(5_000)).toBe(true);
    line.mark(`${WRITES} written`);
    expect(await ledger.verify(4)).toEqual({
      ...{ acknowledged: WRITES, unknown: 0, refused: 0, violations: [] },
    });
    await client.close();
  });

  scenario('nobody gets in without a token', cluster, async ({ cluster }) => {
    const { url, ca } = await cluster.door();
    const stranger = new RestClient(url, 1, { ca });
    const impostor = new RestClient(url, 1, { ca, token: 'rl_nobody_knows' });
    for (const client of [stranger, impostor]) {
      expect(await client.get('x')).toMatchObject({ status: 401, code: 'UNAUTHENTICATED' });
      await client.close();
    }
  });
});
