import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EXIT_DO_NOT_RESTART } from '@ringleader/contracts';
import type { MemberId } from '@ringleader/primitives';
import { until } from '@ringleader/testing-servers';
import { CoordinatorGroup, WAIT } from './coordinator-group.js';

const TIMEOUT_MS = 60_000;
const WRITES = 20;
/** Longer than several elections take. */
const NO_LEADER_MS = 3_000;
const word = { RINGLEADER_BOOTSTRAP: 'new-cluster' };

describe('a coordinator that has lost its disk', () => {
  let group: CoordinatorGroup;
  let leader: MemberId;
  let followers: MemberId[];

  beforeEach(async () => {
    group = await CoordinatorGroup.start();
    const client = group.client();
    for (let i = 0; i < WRITES; i++) {
      const put = { kind: 'put' as const, key: `k/${i}`, value: `value-${i}` };
      await client.txn({ compare: [], success: [put], failure: [] });
    }
    leader = await group.leader();
    followers = group.members.filter((member) => member !== leader);
  }, TIMEOUT_MS);

  afterEach(() => group.stop(), TIMEOUT_MS);

  const lose = async (member: MemberId): Promise<void> => {
    await group.kill9(member);
    await rm(group.dataDirectory(member), { recursive: true });
  };
  /** Waits for the refusal, and gives back its last line in the log. */
  const refusal = async (member: MemberId): Promise<unknown> => {
    expect(await group.exited(member)).toEqual({ code: EXIT_DO_NOT_RESTART, signal: null });
    const [last] = (await group.log(member)).trimEnd().split('\n').slice(-1);
    return JSON.parse(last ?? '');
  };
  const keysAt = async (members: readonly MemberId[], serializable: boolean): Promise<number> => {
    const range = { key: 'k/', rangeEnd: 'k0', serializable };
    return (await group.client(members).range(range, { timeoutMs: 10_000 })).items.length;
  };
  const says = (text: string): object => ({
    level: 'fatal',
    code: 'LOG_MISSING',
    msg: expect.stringMatching(text) as unknown,
  });

  it(
    'is refused, says what to do, and the others go on without a loss',
    async () => {
      const [victim, other] = followers as [MemberId, MemberId];
      await lose(victim);
      await group.startMember(victim);
      expect(await refusal(victim)).toMatchObject(says('it is empty.*leave this coordinator stopped'));
      // With the word: the starter that has forgotten that the cluster exists is told so by the others.
      await group.startMember(victim, word);
      expect(await refusal(victim)).toMatchObject(says('knows coordinator .* whose log was in its place'));

      await group.leader([leader, other]);
      const put = { kind: 'put' as const, key: 'k/more', value: '1' };
      await group.client([leader, other]).txn({ compare: [], success: [put], failure: [] });
      expect(await keysAt([leader, other], false)).toBe(WRITES + 1);
    },
    TIMEOUT_MS,
  );

  it(
    'is refused, too, where only its identity is lost, and taken back with it',
    async () => {
      await group.kill9(leader);
      const identity = join(group.dataDirectory(leader), 'raft', 'identity');
      await rename(identity, `${identity}.kept`);
      await group.startMember(leader);
      expect(await refusal(leader)).toMatchObject({
        code: 'LOG_CORRUPT',
        msg: expect.stringMatching(/identity.*is not there/) as unknown,
      });
      await rename(`${identity}.kept`, identity);
      await group.startMember(leader);
      // That the last write is committed it hears from the others.
      await until('all of it', async () => (await keysAt([leader], true)) === WRITES, WAIT);
    },
    TIMEOUT_MS,
  );

  it(
    'elects nobody with a second one like it, and what the third has is not lost',
    async () => {
      const committed = (await group.status(leader))?.commitIndex ?? Infinity;
      for (const victim of followers) await lose(victim);
      // The one that knows better is away: they can only wait for it.
      await group.kill9(leader);
      for (const victim of followers) await group.startMember(victim, word);
      const areWaiting = async (): Promise<boolean> => {
        const logs = await Promise.all(followers.map((victim) => group.log(victim)));
        return logs.every((log) => log.includes(`"seats":[${leader}]`));
      };
      await until('both know each other', areWaiting, WAIT);
      await group.startMember(leader);
      for (const victim of followers) expect(await refusal(victim)).toMatchObject(says('whose log was in'));

      await until('its answer', async () => (await group.status(leader)) !== null, WAIT);
      const asked = group.client([leader]).range({ key: 'k/' }, { timeoutMs: NO_LEADER_MS });
      await expect(asked).rejects.toMatchObject({
        code: expect.stringMatching(/^(UNAVAILABLE|DEADLINE_EXCEEDED)$/) as unknown,
      });
      expect(await group.status(leader)).toMatchObject({ leader: 0 });
      // Its log has all; how much of it was committed it remembers as of its last write.
      expect((await group.status(leader))?.lastIndex).toBeGreaterThanOrEqual(committed);
      expect(await keysAt([leader], true)).toBeGreaterThanOrEqual(WRITES - 1);
    },
    TIMEOUT_MS,
  );
});
