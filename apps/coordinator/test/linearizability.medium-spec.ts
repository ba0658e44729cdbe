import { afterEach, describe, expect, it } from '@jest/globals';
import type { MemberId } from '@ringleader/primitives';
import { casRegister, checkOperations } from '@ringleader/testing-linearizability';
import { until } from '@ringleader/testing-servers';
import { CoordinatorGroup, WAIT } from './coordinator-group.js';
import { INITIAL_VALUE, RegisterWorkers } from './register-workers.js';

const TIMEOUT_MS = 90_000;

describe('a register at the coordinators', () => {
  let group: CoordinatorGroup;

  afterEach(() => group.stop(), TIMEOUT_MS);

  it(
    'is linearizable through every member while leaders are killed and paused',
    async () => {
      group = await CoordinatorGroup.start();
      const others = (member: MemberId): MemberId[] => group.members.filter((other) => other !== member);
      const workers = new RegisterWorkers();
      // Two per member, each bound to it: followers must be as fresh as the leader.
      workers.start([...group.members, ...group.members].map((member) => group.client([member])));
      const more = (count: number): Promise<void> => {
        const goal = workers.answered + count;
        return until(`${count} more answers`, () => workers.answered >= goal, WAIT);
      };
      await more(300);
      const paused = await group.leader();
      group.signal(paused, 'SIGSTOP');
      await group.leader(others(paused));
      await more(200);
      group.signal(paused, 'SIGCONT');
      await more(200);
      const killed = await group.leader();
      await group.kill9(killed);
      await group.leader(others(killed));
      await more(200);
      await group.startMember(killed);
      await group.caughtUp(killed);
      await more(200);
      await workers.stop();
      const result = checkOperations(casRegister<string>(INITIAL_VALUE), workers.history);
      expect(result.verdict === 'violation' ? result.counterexample : result.verdict).toBe('linearizable');
    },
    TIMEOUT_MS,
  );
});
