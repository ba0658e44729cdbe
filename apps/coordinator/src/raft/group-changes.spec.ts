import { describe, expect, it } from '@jest/globals';
import { seededPrng } from '@ringleader/primitives';
import {
  configurationOf,
  emptyStoredState,
  type MessageBody,
  raftConfig,
  RaftMember,
} from '@ringleader/raft';
import { GroupChanges } from './group-changes.js';

const founders = [1, 2, 3, 4].map((id) => ({ id, seat: id }));
const removal = { kind: 'remove', seat: 4, isPromotedItself: true, ifIndex: null } as const;

function settle(member: RaftMember): void {
  for (let turn = 0; turn < 10; turn += 1) {
    const { persist, committed } = member.takeReady();
    if (persist !== null) member.persisted(persist.id);
    const last = committed.at(-1);
    if (last !== undefined) member.applied(last.index);
  }
}

/** Leads by the votes of 2 and 3, who have everything up to its first entry. */
function newLeader(): RaftMember {
  const member = new RaftMember(
    raftConfig({ id: 1, random: seededPrng(1) }),
    emptyStoredState(configurationOf(founders)),
  );
  const say = (body: MessageBody): void => {
    for (const from of [2, 3]) member.step({ ...body, from, to: 1, term: 1 });
    settle(member);
  };
  while (member.status().role === 'follower') member.tick();
  say({ kind: 'preVoteReply', granted: true });
  say({ kind: 'voteReply', granted: true });
  say({ kind: 'appendReply', matchIndex: 1 });
  return member;
}

describe('changes of the group', () => {
  it('say of a member whose removal is not finished that it is under way, not that it is none', async () => {
    const changes = new GroupChanges(newLeader(), () => 0);
    const first = changes.change(removal, 1_000);
    const second = await changes.change(removal, 1_000);
    expect(second).toEqual({ kind: 'refused', refusal: { reason: 'changeUnderWay' } });
    changes.end();
    expect(await first).toEqual({ kind: 'outcomeUnknown' });
  });

  it('call nothing done for a snapshot that has taken the place of what was proposed', async () => {
    const member = newLeader();
    const changes = new GroupChanges(member, () => 0);
    const outcome = changes.change(removal, 1_000);
    settle(member);
    changes.tend();
    const [index, term] = [100, 2];
    const configuration = configurationOf(founders);
    const whole = { chunkIndex: 0, chunkCount: 1, configuration, data: new Uint8Array(1) };
    member.step({ kind: 'snapshotChunk', from: 2, to: 1, term, point: { index, term }, ...whole });
    settle(member);
    expect(member.status().commitIndex).toBe(index);
    changes.tend();
    expect(await outcome).toEqual({ kind: 'outcomeUnknown' });
  });

  it('say of who is no member that it is none', async () => {
    const changes = new GroupChanges(newLeader(), () => 0);
    const outcome = await changes.change({ ...removal, seat: 7 }, 1_000);
    expect(outcome).toEqual({ kind: 'refused', refusal: { reason: 'notAMember' } });
  });
});
