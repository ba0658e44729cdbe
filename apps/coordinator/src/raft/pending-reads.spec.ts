import { describe, expect, it } from '@jest/globals';
import { PendingReads } from './pending-reads.js';
import type { ReadBarrierOutcome } from './raft-node.js';

function collect(outcome: Promise<ReadBarrierOutcome>): ReadBarrierOutcome[] {
  const known: ReadBarrierOutcome[] = [];
  void outcome.then((answer) => known.push(answer));
  return known;
}
const turn = (): Promise<void> => Promise.resolve();

/** Asks, and returns the question's name. */
function ask(reads: PendingReads): number {
  let asked = 0;
  reads.askWith((context) => {
    asked = context;
    return true;
  });
  return asked;
}

describe('PendingReads', () => {
  it('asks once for all that wait, and answers when the state has got there', async () => {
    const reads = new PendingReads(10);
    const first = collect(reads.add(0, 100));
    const second = collect(reads.add(0, 100));
    const context = ask(reads);
    expect(reads.isQuestionDue).toBe(false);
    reads.answered({ context, index: 5 }, 4);
    await turn();
    expect([first, second]).toEqual([[], []]);
    reads.applied(5);
    await turn();
    expect([first, second]).toEqual([[{ kind: 'ready', index: 5 }], [{ kind: 'ready', index: 5 }]]);
  });

  it('never answers a read by a question asked before it came', async () => {
    const reads = new PendingReads(10);
    const early = collect(reads.add(0, 100));
    const context = ask(reads);
    const late = collect(reads.add(0, 100));
    reads.answered({ context, index: 5 }, 9);
    await turn();
    expect([early.length, late.length]).toEqual([1, 0]);
    reads.answered({ context: ask(reads), index: 6 }, 9);
    await turn();
    expect(late.length).toBe(1);
  });

  it('asks again when an answer does not come, and takes the answer to either question', async () => {
    const reads = new PendingReads(10);
    const waiting = collect(reads.add(0, 100));
    ask(reads);
    reads.askAgain();
    expect(reads.isQuestionDue).toBe(true);
    const second = ask(reads);
    reads.answered({ context: second, index: 1 }, 1);
    await turn();
    expect(waiting).toEqual([{ kind: 'ready', index: 1 }]);
    reads.askAgain();
    expect(reads.isQuestionDue).toBe(false);
  });

  it('keeps the question due while there is nobody to ask', () => {
    const reads = new PendingReads(10);
    void reads.add(0, 100);
    reads.askWith(() => false);
    expect(reads.isQuestionDue).toBe(true);
  });

  it('is unavailable at its deadline, at its end, and when too many wait', async () => {
    const reads = new PendingReads(2);
    const short = collect(reads.add(0, 50));
    const answered = collect(reads.add(0, 200));
    expect(await reads.add(0, 100)).toEqual({ kind: 'unavailable' });
    reads.answered({ context: ask(reads), index: 9 }, 1);
    reads.expire(50);
    await turn();
    expect([short.length, answered.length]).toEqual([1, 0]);
    reads.end();
    await turn();
    expect([...short, ...answered]).toEqual([{ kind: 'unavailable' }, { kind: 'unavailable' }]);
  });
});
