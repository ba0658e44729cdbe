import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { OperationalError } from '@ringleader/contracts';
import { once } from 'node:events';
import { Control, askStarter } from './control.js';

describe('Control', () => {
  let control: Control;
  let done: string[];
  let isServing: boolean;
  beforeEach(async () => {
    [done, isServing] = [[], true];
    control = await Control.open({
      get isServing() {
        return isServing;
      },
      act: async (member, action) => {
        done.push(`begin ${action} ${member}`);
        await new Promise(setImmediate);
        done.push(`end ${action} ${member}`);
        if (member === 'nobody') throw new OperationalError('MEMBER_NOT_FOUND', 'No', { members: ['a'] });
        return 'done';
      },
      addShard: (wanted) => {
        done.push(JSON.stringify(wanted));
        return Promise.resolve({ member: 'shard-4' });
      },
      addCoordinator: (former = 'coordinator-4') => Promise.resolve({ member: former }),
    });
  });
  afterEach(() => control.close());

  it('does one thing after the other, as it is asked', async () => {
    const { place } = control;
    const answers = [
      askStarter(place, '/members/a/kill'),
      askStarter(place, '/members/b/restart'),
      askStarter(place, '/shards', { weight: 2 }),
    ];
    expect(await Promise.all(answers)).toEqual([{ done: 'done' }, { done: 'done' }, { member: 'shard-4' }]);
    const [first = '', second = ''] = done;
    expect(second).toBe(first.replace('begin', 'end'));
    expect(done).toContain('{"weight":2}');
  });

  it('adds a coordinator, or another one in the place of one', async () => {
    expect(await askStarter(control.place, '/coordinators')).toEqual({ member: 'coordinator-4' });
    const path = '/coordinators/coordinator-2/replace';
    expect(await askStarter(control.place, path)).toEqual({ member: 'coordinator-2' });
  });

  it('does nothing before the cluster has started, nor afterwards what was asked for then', async () => {
    isServing = false;
    for (const path of ['/members/a/stop', '/shards', '/coordinators'])
      await expect(askStarter(control.place, path)).rejects.toThrow('UNAVAILABLE: The cluster is starting');
    isServing = true;
    await askStarter(control.place, '/members/b/stop');
    expect(done).toEqual(['begin stop b', 'end stop b']);
  });

  it('does nothing for who still waits for a turn when the cluster begins to stop', async () => {
    let end = (): void => undefined;
    const first = control.inTurn(() => new Promise<void>((resolve) => (end = resolve)));
    const arrival = once(control['server'], 'request');
    const asked = askStarter(control.place, '/members/a/kill');
    await arrival;
    // By the answer to another question it waits for its turn.
    await expect(askStarter(control.place, '/nothing')).rejects.toThrow('ROUTE_NOT_FOUND');
    isServing = false;
    end();
    await first;
    await expect(asked).rejects.toThrow('UNAVAILABLE');
    expect(done).toEqual([]);
  });

  it('says what is wrong with a request', async () => {
    const { url, token } = control.place;
    const answerTo = async (path: string, body: string): Promise<unknown> => {
      const headers = { authorization: `Bearer ${token}` };
      const answer = await fetch(`${url}${path}`, { method: 'POST', headers, body });
      return { status: answer.status, ...((await answer.json()) as object) };
    };
    const wrong = { status: 400, code: 'INVALID_ARGUMENT' };
    expect(await answerTo('/shards', '{"zone":')).toMatchObject(wrong);
    expect(await answerTo('/members/%E0%A4%A/stop', '')).toMatchObject(wrong);
    expect(await answerTo('/coordinators/a/b/replace', '')).toMatchObject({ status: 404 });
    expect(done).toEqual([]);
  });

  it('refuses with a code, and goes on', async () => {
    await expect(askStarter(control.place, '/members/nobody/stop')).rejects.toThrow('MEMBER_NOT_FOUND: No');
    await expect(askStarter(control.place, '/members/a/burn')).rejects.toThrow('ROUTE_NOT_FOUND');
    await expect(askStarter(control.place, '/shards', { weight: 0 })).rejects.toThrow('INVALID_ARGUMENT');
    await expect(askStarter(control.place, '/shards', { zonne: 'a' })).rejects.toThrow('INVALID_ARGUMENT');
    expect(await askStarter(control.place, '/members/a/stop')).toEqual({ done: 'done' });
  });

  it('does nothing for who has not read the token', async () => {
    const { url, token } = control.place;
    for (const authorization of ['', 'Bearer x', `Bearer ${token}x`]) {
      const answer = await fetch(`${url}/members/a/kill`, { method: 'POST', headers: { authorization } });
      expect(answer.status).toBe(403);
    }
    expect(done).toEqual([]);
  });
});
