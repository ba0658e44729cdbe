import { describe, expect, it } from '@jest/globals';
import type { Message } from './messages.js';
import { Outbox } from './outbox.js';
import { soundRules } from './rules.js';

const message = (to: number): Message => ({ kind: 'voteReply', from: 1, to, term: 1, granted: true });
const newOutbox = (): Outbox => new Outbox(1, soundRules);

describe('Outbox', () => {
  it('lets go at once what depends on nothing that changed', () => {
    const outbox = newOutbox();
    outbox.send(message(2), 'log');
    outbox.logChanged();
    outbox.send(message(3), 'hardState');
    outbox.send(message(4), 'nothing');
    expect(outbox.takeMessages().map(({ to }) => to)).toEqual([2, 3, 4]);
  });

  it('holds back until the batch with the change is durable, not an earlier one', () => {
    const outbox = newOutbox();
    outbox.hardStateChanged();
    expect(outbox.takeBatch()?.id).toBe(1);
    // This change came after the first batch was handed out, and goes into the second.
    outbox.logChanged();
    outbox.send(message(2), 'hardState');
    outbox.send(message(3), 'log');
    expect(outbox.takeMessages()).toEqual([]);
    expect(outbox.takeBatch()).toBeNull();
    outbox.batchDurable(1);
    expect(outbox.takeMessages().map(({ to }) => to)).toEqual([2]);
    expect(outbox.takeBatch()?.id).toBe(2);
    outbox.batchDurable(2);
    expect(outbox.takeMessages().map(({ to }) => to)).toEqual([3]);
    expect(outbox.takeBatch()).toBeNull();
  });

  it('brings a message to itself back, when it may leave', () => {
    const outbox = newOutbox();
    outbox.hardStateChanged();
    outbox.send(message(1), 'hardState');
    expect(outbox.takeToSelf()).toBeUndefined();
    outbox.takeBatch();
    outbox.batchDurable(1);
    expect(outbox.takeMessages()).toEqual([]);
    expect(outbox.takeToSelf()).toEqual(message(1));
  });

  it('is told only of batches that it handed out, in their order', () => {
    const outbox = newOutbox();
    expect(() => outbox.batchDurable(1)).toThrow('not handed out');
  });
});
