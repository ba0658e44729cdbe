/** `npm start` on data of which a member has lost its own. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLocalCluster, type LocalClusterHandle } from '@ringleader/testing-local-cluster';

const START_MS = 180_000;
const KEYS = Array.from({ length: 40 }, (_, i) => `kept/${i}`);

describe('npm start', () => {
  let data: string;
  let cluster: LocalClusterHandle | undefined;

  const start = async () => (cluster = await startLocalCluster({ data }));

  beforeEach(async () => {
    data = await mkdtemp(join(tmpdir(), 'ringleader-degraded-'));
  });
  afterEach(async () => {
    await cluster?.stop();
    await rm(data, { recursive: true, force: true });
  }, START_MS);

  it(
    'comes up degraded without a coordinator that lost its disk, says why once, and serves all that was written',
    async () => {
      const first = await start();
      const [before = ''] = await first.gatewayUrls();
      for (const key of KEYS) {
        const answer = await fetch(`${before}/v1/kv/${key}`, { method: 'PUT', body: key });
        expect(answer.ok).toBe(true);
      }
      await first.stop();
      await rm(join(data, 'coordinator-2'), { recursive: true });

      const second = await start();
      const [url = ''] = await second.gatewayUrls();
      for (const key of KEYS) expect(await (await fetch(`${url}/v1/kv/${key}`)).text()).toBe(key);
      const put = await fetch(`${url}/v1/kv/${KEYS[0] ?? ''}`, { method: 'PUT', body: 'new' });
      expect(put.ok).toBe(true);
      expect(second.output).toMatch(/^Ringleader is degraded /m);
      expect(second.output).toMatch(/^✗ coordinator-2 refuses to run: see /m);
      const refusals = second.output.match(
        /^✗ coordinator-2 ended with exit code 78.*LOG_MISSING: .*it is empty/gm,
      );
      expect(refusals).toHaveLength(1);
      expect((await second.state()).status).toBe('degraded');
      expect(await second.process('coordinator-2')).toMatchObject({ pid: null, restarts: 0 });
    },
    3 * START_MS,
  );
});
