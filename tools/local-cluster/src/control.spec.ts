import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { OperationalError } from '@ringleader/contracts';
import { Control, askStarter } from './control.js';

describe('Control', () => {
  let control: Control;
  let done: string[];
  beforeEach(async () => {
    done = [];
    control = await Control.open({
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
