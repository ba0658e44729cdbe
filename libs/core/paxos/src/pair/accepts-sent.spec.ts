import { describe, expect, it } from '@jest/globals';
import type { Accept, Accepts, OutgoingMessage } from '../messages.js';
import { ACCEPT_RULES } from '../rules/accept-rules.js';
import { AcceptsSent } from './accepts-sent.js';

const LIFE = 3;
const BALLOT = 65_537;
const SMALL = { bytes: 100, isHeld: false };

function batch(partition: number, revision: number): Accept {
  const next = { ballot: BALLOT, revision };
  const previous = { ballot: BALLOT, revision: revision - 1 };
  return { partition, epoch: 1, ballot: BALLOT, previous, next, rows: [], commit: 0 };
}

/** What is remembered of it. */
function told(partition: number, revision: number): object {
  return { partition, epoch: 1, ballot: BALLOT, next: { ballot: BALLOT, revision } };
}

function acceptsOf(messages: readonly OutgoingMessage[]): Accepts[] {
  return messages.map(({ message }) => message as Accepts);
}

describe('AcceptsSent', () => {
  it('sends what was gathered of all partitions as one message, the same list to all who get the same', () => {
    const accepts = new AcceptsSent(ACCEPT_RULES, LIFE, 1);
    const batches = [batch(1, 5), batch(2, 9)];
    for (const each of batches) {
      accepts.gather(2, each, SMALL);
      accepts.gather(3, each, SMALL);
    }
    accepts.gather(4, batch(1, 5), SMALL);
    const [second, third, fourth] = acceptsOf(accepts.take(1_000));
    expect(second).toEqual({
      kind: 'accepts',
      incarnation: LIFE,
      number: 1,
      lease: { sentAt: 1_000 },
      batches,
    });
    expect(third?.batches).toBe(second?.batches);
    expect(fourth?.batches).not.toBe(second?.batches);
    expect(accepts.take(1_001)).toEqual([]);
  });

  it('bounds the bytes of a message, and sends what is longer alone', () => {
    const accepts = new AcceptsSent(ACCEPT_RULES, LIFE, 1);
    for (const bytes of [200_000, 50_000, 50_000, 900_000, 10])
      accepts.gather(2, batch(bytes, 1), { bytes, isHeld: false });
    const sizes = acceptsOf(accepts.take(0)).map(({ batches }) => batches.map(({ partition }) => partition));
    expect(sizes).toEqual([[200_000, 50_000], [50_000], [900_000], [10]]);
  });

  it('sends alone what must wait behind what waits already, so that the others need not', () => {
    const accepts = new AcceptsSent(ACCEPT_RULES, LIFE, 1);
    accepts.gather(2, batch(1, 5), SMALL);
    accepts.gather(2, batch(2, 5), { bytes: 100, isHeld: true });
    accepts.gather(2, batch(3, 5), SMALL);
    const lists = acceptsOf(accepts.take(0)).map(({ batches }) => batches.map(({ partition }) => partition));
    expect(lists).toEqual([[1, 3], [2]]);
  });

  it('gives what an answer is about once, to the peer and the life that it was sent by', () => {
    const accepts = new AcceptsSent(ACCEPT_RULES, LIFE, 1);
    accepts.gather(2, batch(1, 5), SMALL);
    accepts.take(0);
    expect(accepts.settle(3, { holder: LIFE, number: 1 })).toBe(null);
    expect(accepts.settle(2, { holder: LIFE - 1, number: 1 })).toBe(null);
    expect(accepts.settle(2, { holder: LIFE, number: 2 })).toBe(null);
    expect(accepts.settle(2, { holder: LIFE, number: 1 })).toEqual([told(1, 5)]);
    expect(accepts.settle(2, { holder: LIFE, number: 1 })).toBe(null);
  });

  it('takes no answer that was meant for another shard', () => {
    const accepts = new AcceptsSent(ACCEPT_RULES, LIFE, 1);
    const anothers = new AcceptsSent(ACCEPT_RULES, LIFE, 3);
    for (const each of [accepts, anothers]) each.gather(2, batch(1, 5), SMALL);
    accepts.take(0);
    const [message] = acceptsOf(anothers.take(0));
    expect(accepts.settle(2, { holder: LIFE, number: message?.number ?? 0 })).toBe(null);
  });

  it('forgets in the end what nobody answers', () => {
    const accepts = new AcceptsSent(ACCEPT_RULES, LIFE, 1);
    accepts.gather(2, batch(1, 5), SMALL);
    accepts.take(0);
    accepts.forgetOld(29_999);
    accepts.gather(2, batch(1, 6), SMALL);
    accepts.take(29_999);
    accepts.forgetOld(30_000);
    expect(accepts.settle(2, { holder: LIFE, number: 1 })).toBe(null);
    expect(accepts.settle(2, { holder: LIFE, number: 4_097 })).toEqual([told(1, 6)]);
  });
});
