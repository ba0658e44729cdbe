import { afterEach, describe, expect, it } from '@jest/globals';
import { createLogger } from '@ringleader/observability';
import { EMPTY_LIST, ScriptedApiServer, say } from '../../test/scripted-api-server.js';
import { Watches } from './watches.js';

const MONITORS = '/apis/monitoring.coreos.com/v1';
const logger = createLogger({ level: 'silent', service: 'operator', member: 'operator-1' });

describe('what is followed', () => {
  const ending = new AbortController();
  let server: ScriptedApiServer | null = null;
  afterEach(() => {
    ending.abort();
    server?.close();
  });

  it('are kinds of others while the API server has them, and it is waited until that says so', async () => {
    let monitors: 'trouble' | 'there' | 'gone' = 'trouble';
    server = await ScriptedApiServer.start((url, response) => {
      const { pathname, searchParams } = url;
      if (pathname === MONITORS) {
        const status = { trouble: 503, there: 200, gone: 404 }[monitors];
        if (monitors === 'trouble') monitors = 'there';
        return say(response, { resources: [{ name: 'servicemonitors' }] }, status);
      }
      if (pathname === '/apis/cert-manager.io/v1') return say(response, {}, 404);
      // What is wrong with the kinds of others is not to keep the operator from its own.
      if (pathname.startsWith(MONITORS)) return say(response, {}, 500);
      if (!searchParams.has('watch')) return say(response, EMPTY_LIST);
    });
    const { api } = server;
    const watches = new Watches({ api, logger, namespace: null, onChange: () => undefined });
    await watches.start(ending.signal);
    expect(watches.optionalKinds).toEqual(['ServiceMonitor']);
    monitors = 'gone';
    await watches.lookForOptionalKinds(ending.signal);
    expect(watches.optionalKinds).toEqual([]);
  });
});
