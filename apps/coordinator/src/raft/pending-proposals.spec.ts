import { describe, expect, it } from '@jest/globals';
import { PendingProposals } from './pending-proposals.js';
import type { ProposalLimits, ProposalOutcome } from './raft-node.js';

const limits: ProposalLimits = { countMax: 3, queuedBytesMax: 1_000, leaderWaitMs: 100 };
const command = (text: string): Uint8Array => Buffer.from(text);

/** What each proposal was answered, as far as it was. */
class Answers {
  readonly known: Record<string, ProposalOutcome<string>> = {};

  collect(name: string, outcome: Promise<ProposalOutcome<string>>): void {
    void outcome.then((answer) => {
      this.known[name] = answer;
    });
  }
  async kinds(): Promise<Record<string, string>> {
    await Promise.resolve();
    return Object.fromEntries(Object.entries(this.known).map(([name, { kind }]) => [name, kind]));
  }
}

function handOverAll(pending: PendingProposals<string>, term: number): Uint8Array[] {
  const batch = pending.nextBatch(1_000_000);
  pending.handedOver(batch, term);
  return batch.map(({ data }) => data);
}

describe('PendingProposals', () => {
  it('knows its own commands again, and not those of another process', async () => {
    const pending = new PendingProposals<string>(limits);
    const answers = new Answers();
    answers.collect('a', pending.add(command('hello'), 0, 1_000));
    const [data] = handOverAll(pending, 1);
    const { ownId, command: opened } = pending.open(data!);
    expect(Buffer.from(opened).toString()).toBe('hello');
    expect(new PendingProposals<string>(limits).open(data!).ownId).toBeNull();
    pending.applied(ownId!, 7, 'result');
    await answers.kinds();
    expect(answers.known).toEqual({ a: { kind: 'applied', index: 7, result: 'result' } });
  });

  it('is unavailable where no leader was known in time, and unknown where it was handed over', async () => {
    const pending = new PendingProposals<string>(limits);
    const answers = new Answers();
    answers.collect('handedOver', pending.add(command('a'), 0, 500));
    handOverAll(pending, 1);
    answers.collect('queued', pending.add(command('b'), 0, 500));
    answers.collect('short', pending.add(command('c'), 0, 20));
    pending.expire(20);
    expect(await answers.kinds()).toEqual({ short: 'unavailable' });
    pending.expire(100);
    expect(await answers.kinds()).toEqual({ short: 'unavailable', queued: 'unavailable' });
    expect(pending.hasQueued).toBe(false);
    pending.expire(500);
    expect(await answers.kinds()).toMatchObject({ handedOver: 'outcomeUnknown' });
  });

  it('wants another series where one is not answered, and no second one before it is tried', () => {
    const pending = new PendingProposals<string>(limits);
    const propose = (nowMs: number, timeoutMs: number): void => {
      void pending.add(command('a'), nowMs, timeoutMs);
      handOverAll(pending, 1);
    };
    propose(0, 10);
    propose(0, 20);
    expect(pending.expire(5)).toBe(false);
    expect(pending.expire(10)).toBe(true);
    propose(10, 20);
    expect(pending.expire(20)).toBe(false);
    expect(pending.expire(30)).toBe(true);
  });

  it('numbers one by one, however long nothing is answered', () => {
    const pending = new PendingProposals<string>(limits);
    let last = 0;
    for (let nowMs = 0; nowMs < 10_000; nowMs += 10) {
      void pending.add(command('a'), nowMs, 10);
      const batch = pending.nextBatch(1_000);
      pending.handedOver(batch, 1);
      last = batch[0]?.id ?? 0;
      pending.expire(nowMs + 10);
    }
    expect(last).toBe(1_000);
  });

  it('is unavailable for certain once an entry of a later term is applied', async () => {
    const pending = new PendingProposals<string>(limits);
    const answers = new Answers();
    answers.collect('old', pending.add(command('a'), 0, 500));
    handOverAll(pending, 3);
    answers.collect('present', pending.add(command('b'), 0, 500));
    handOverAll(pending, 4);
    answers.collect('queued', pending.add(command('c'), 0, 500));
    pending.termApplied(4);
    expect(await answers.kinds()).toEqual({ old: 'unavailable' });
  });

  it('is unknown where a snapshot may hold it', async () => {
    const pending = new PendingProposals<string>(limits);
    const answers = new Answers();
    answers.collect('covered', pending.add(command('a'), 0, 500));
    handOverAll(pending, 3);
    answers.collect('later', pending.add(command('b'), 0, 500));
    handOverAll(pending, 5);
    pending.skippedTo(4);
    expect(await answers.kinds()).toEqual({ covered: 'outcomeUnknown' });
  });

  it('is bounded, and hands over in pieces', async () => {
    const pending = new PendingProposals<string>(limits);
    const answers = new Answers();
    for (const name of ['a', 'b', 'c', 'd'])
      answers.collect(name, pending.add(command('x'.repeat(100)), 0, 500));
    expect(await answers.kinds()).toEqual({ d: 'unavailable' });
    expect(pending.nextBatch(250)).toHaveLength(2);
    expect(pending.nextBatch(1)).toHaveLength(1);
    const bytes = new PendingProposals<string>({ ...limits, queuedBytesMax: 50 });
    void bytes.add(command('x'.repeat(100)), 0, 500);
    expect(await bytes.add(command('y'), 0, 500)).toEqual({ kind: 'unavailable' });
    handOverAll(bytes, 1);
    answers.collect('e', bytes.add(command('z'), 0, 500));
    expect(await answers.kinds()).toEqual({ d: 'unavailable' });
  });

  it('answers everything at its end', async () => {
    const pending = new PendingProposals<string>(limits);
    const answers = new Answers();
    answers.collect('handedOver', pending.add(command('a'), 0, 500));
    handOverAll(pending, 1);
    answers.collect('queued', pending.add(command('b'), 0, 500));
    pending.end();
    expect(await answers.kinds()).toEqual({ handedOver: 'outcomeUnknown', queued: 'unavailable' });
  });
});
