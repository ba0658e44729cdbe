import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ServerResponse } from 'node:http';
import type { Logger } from '@ringleader/observability';
import { EMPTY_LIST, ScriptedApiServer, say } from '../../test/scripted-api-server.js';
import { CONFIG_MAPS } from './kinds.js';
import type { KubeObject } from './kube-api.js';
import { ObjectStore } from './object-store.js';
import { WatchLoop } from './watch-loop.js';

interface Said {
  readonly failures: number;
  readonly error: { readonly reason: string };
}

describe('a watch', () => {
  let server: ScriptedApiServer | null = null;
  let ending: AbortController;
  beforeEach(() => {
    ending = new AbortController();
  });
  afterEach(() => {
    ending.abort();
    server?.close();
  });

  const added = (name: string): object => ({
    type: 'ADDED',
    object: { metadata: { name, namespace: 'n', uid: name, resourceVersion: '7' } },
  });

  /** Follows a server whose watches do one after the other what is given, until the last of them has told of an object. */
  async function follow(...watches: readonly ((response: ServerResponse) => void)[]): Promise<Said[]> {
    const heard = Promise.withResolvers<KubeObject>();
    const said: Said[] = [];
    let watched = 0;
    server = await ScriptedApiServer.start((url, response) => {
      if (!url.searchParams.has('watch')) return say(response, EMPTY_LIST);
      const next = watches[watched];
      watched += 1;
      if (next !== undefined) return next(response);
      response.write(`${JSON.stringify(added('news'))}\n`);
    });
    const note = (fields: Said): void => void said.push(fields);
    const loop = new WatchLoop({
      ...{ api: server.api, kind: CONFIG_MAPS, namespace: null },
      store: new ObjectStore(() => null),
      onChange: (object) => heard.resolve(object),
      logger: { info: note, warn: note } as unknown as Logger,
    });
    loop.start(ending.signal);
    expect((await heard.promise).metadata.name).toBe('news');
    return said;
  }
  const reasonsOf = (said: readonly Said[]): readonly [number, string][] =>
    said.map(({ failures, error: { reason } }) => [failures, reason]);

  it.each([
    ['no JSON', '<html>a proxy says no</html>'],
    ['no event', '42'],
    ['an event of nothing', '{"type":"ADDED","object":{}}'],
    ['an error about nothing', '{"type":"ERROR","object":null}'],
  ])('goes on after a line that is %s', async (_what, line) => {
    const said = await follow((response) => response.end(`${line}\n`));
    expect(reasonsOf(said)).toEqual([[1, 'Unreadable']]);
  });

  it('that ends as soon as it has begun waits longer each time', async () => {
    const brief = (response: ServerResponse): void => void response.end();
    expect(reasonsOf(await follow(brief, brief))).toEqual([
      [1, 'Brief'],
      [2, 'Brief'],
    ]);
  });

  it('that is too old for a list of a moment ago waits before it lists again and again', async () => {
    const expired = (response: ServerResponse): void =>
      say(response, { code: 410, reason: 'Expired', message: 'too old' }, 410);
    expect(reasonsOf(await follow(expired, expired))).toEqual([
      [1, 'Expired'],
      [2, 'Expired'],
    ]);
  });
});
