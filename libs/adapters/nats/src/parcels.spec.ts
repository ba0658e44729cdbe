import { describe, expect, it } from '@jest/globals';
import { contentOf, frameKindOf, PIECE_BYTES } from '@ringleader/contracts';
import { CUT_BYTES, type Parcel, Parcels, WINDOW_BYTES } from './parcels.js';

const PIECES_OF_WINDOW = Math.ceil(WINDOW_BYTES / CUT_BYTES);

function parcel(bytes: number, fill = 7, topics: readonly number[] = []): Parcel {
  return { bytes, topics, encode: () => [Buffer.alloc(bytes, fill)] };
}

/** Two ends, and frames between them that travel when the test says so. */
class Ends {
  now = 1_000;
  hasRoom = true;
  readonly toReceiver: Uint8Array[] = [];
  readonly toSender: Uint8Array[] = [];
  readonly arrived: Uint8Array[] = [];
  readonly progress: string[] = [];
  readonly sender = new Parcels({
    publish: (_to, frame) => void this.toReceiver.push(contentOf(frame)),
    publishReceipt: () => undefined,
    monotonicMs: () => this.now,
    firstParcel: 100,
    onProgress: (to) => void this.progress.push(to),
  });
  readonly receiver = new Parcels({
    publish: () => undefined,
    publishReceipt: (_to, frame) => void this.toSender.push(contentOf(frame)),
    monotonicMs: () => this.now,
    firstParcel: 1,
    hasRoom: () => this.hasRoom,
  });

  /** Everything that is under way arrives, until nothing is. */
  settle(): void {
    while (this.toReceiver.length + this.toSender.length > 0) {
      this.deliver();
      for (const frame of this.toSender.splice(0)) expect(this.sender.take('b', frame)).toBeNull();
    }
  }

  deliver(): void {
    for (const frame of this.toReceiver.splice(0)) {
      const whole = this.receiver.take('a', frame);
      if (whole !== null) this.arrived.push(whole);
    }
  }
}

function lateSweeps(ends: Ends, count: number): void {
  for (let i = 0; i < count; i++) {
    ends.now += 2_000;
    ends.sender.sweep();
  }
}

describe('Parcels', () => {
  it('puts together what it cut up, whatever its length', () => {
    const ends = new Ends();
    const lengths = [1, PIECE_BYTES, PIECE_BYTES + 1, 2 ** 22, 12];
    expect(ends.sender.isCarrying).toBe(false);
    lengths.forEach((bytes, index) => ends.sender.send('b', parcel(bytes, index)));
    expect(ends.sender.isCarrying).toBe(true);
    ends.settle();
    expect(ends.arrived.map((frame) => [frame.length, frame[0], frame.at(-1)])).toEqual(
      lengths.map((bytes, index) => [bytes, index, index]),
    );
    expect(ends.sender.isCarrying).toBe(false);
    expect(ends.sender.backlogBytes('b')).toBe(0);
    expect(ends.sender.heldSince('b')).toBe(Number.POSITIVE_INFINITY);
  });

  it('cuts across the parts that a frame was encoded in, and leaves them as they are', () => {
    const ends = new Ends();
    const parts = [1, CUT_BYTES + 7, 3, 2 * CUT_BYTES].map((bytes, fill) => Buffer.alloc(bytes, fill + 1));
    const whole = Buffer.concat(parts);
    ends.sender.send('b', { bytes: whole.length, topics: [], encode: () => parts });
    // The memory of pieces that were taken is written over.
    for (let fill = 0; fill < 4; fill++) ends.sender.send('b', parcel(3 * CUT_BYTES, fill));
    ends.settle();
    const length = 3 * CUT_BYTES;
    expect(ends.arrived.map((frame) => frame.length)).toEqual([whole.length, length, length, length, length]);
    expect(whole.equals(ends.arrived[0]!)).toBe(true);
    expect(Buffer.concat(parts).equals(whole)).toBe(true);
    for (let fill = 0; fill < 4; fill++) expect(new Set(ends.arrived[fill + 1])).toEqual(new Set([fill]));
  });

  it('keeps no more than a window on its way, encodes the rest when its turn comes, and tells what is left', () => {
    const ends = new Ends();
    let encoded = 0;
    for (let i = 0; i < 6; i++) {
      ends.now += 1;
      ends.sender.send('b', {
        bytes: 2 ** 20,
        topics: [],
        encode: () => {
          encoded += 1;
          return [Buffer.alloc(2 ** 20)];
        },
      });
    }
    expect(ends.toReceiver).toHaveLength(PIECES_OF_WINDOW);
    expect(encoded).toBe(1);
    expect(ends.sender.backlogBytes('b')).toBe(6 * 2 ** 20);
    expect(ends.sender.heldSince('b')).toBe(1_001);
    ends.settle();
    expect(ends.arrived).toHaveLength(6);
    expect(ends.progress.length).toBeGreaterThan(0);
  });

  it('receipts several pieces at once where they come fast, and each where they come slowly', () => {
    const pieces = PIECES_OF_WINDOW;
    const fast = new Ends();
    fast.sender.send('b', parcel(WINDOW_BYTES));
    fast.deliver();
    expect(fast.arrived).toHaveLength(1);
    // The first, each quarter, and the end.
    expect(fast.toSender.length).toBeLessThanOrEqual(6);
    const slow = new Ends();
    slow.sender.send('b', parcel(WINDOW_BYTES));
    for (const frame of slow.toReceiver.splice(0)) {
      slow.now += 250;
      slow.receiver.take('a', frame);
    }
    expect(slow.toSender).toHaveLength(pieces);
  });

  it('lets a slow receiver keep its sender waiting', () => {
    const ends = new Ends();
    ends.hasRoom = false;
    for (let i = 0; i < 6; i++) ends.sender.send('b', parcel(2 ** 20));
    ends.settle();
    expect(ends.arrived).toHaveLength(1);
    ends.hasRoom = true;
    ends.receiver.giveReceipts();
    ends.settle();
    expect(ends.arrived).toHaveLength(6);
  });

  it('does not take a receiver that has no room for one that is gone', () => {
    const ends = new Ends();
    ends.hasRoom = false;
    for (let i = 0; i < 6; i++) ends.sender.send('b', parcel(2 ** 20));
    ends.settle();
    for (let seconds = 0; seconds < 10; seconds++) {
      ends.now += 1_000;
      ends.receiver.sweep();
      ends.settle();
      ends.sender.sweep();
    }
    expect([ends.arrived.length, ends.sender.lost]).toEqual([1, 0]);
    ends.hasRoom = true;
    ends.receiver.giveReceipts();
    ends.settle();
    expect(ends.arrived).toHaveLength(6);
  });

  it('knows what still waits about a topic', () => {
    const ends = new Ends();
    ends.sender.send('b', parcel(WINDOW_BYTES, 1, [5]));
    ends.sender.send('b', parcel(10, 1, [6]));
    expect([5, 6].map((topic) => ends.sender.holdsAny('b', [topic]))).toEqual([false, true]);
    expect(ends.sender.holdsAny('c', [6])).toBe(false);
    ends.settle();
    expect(ends.sender.holdsAny('b', [6])).toBe(false);
  });

  it('loses the frame of a lost piece, and no other', () => {
    const ends = new Ends();
    for (const fill of [1, 2, 3]) ends.sender.send('b', parcel(4 * PIECE_BYTES, fill));
    ends.toReceiver.splice(Math.ceil((4 * PIECE_BYTES) / CUT_BYTES) + 1, 1);
    ends.settle();
    expect(ends.arrived.map(([fill]) => fill)).toEqual([1, 3]);
    expect(ends.receiver.lost).toBe(1);
  });

  it('goes on after a window without receipts, and drops what waits after a second one', () => {
    const ends = new Ends();
    for (let i = 0; i < 6; i++) ends.sender.send('b', parcel(2 ** 20));
    ends.toReceiver.length = 0;
    ends.now += 2_000;
    ends.sender.sweep();
    expect(ends.toReceiver).toHaveLength(PIECES_OF_WINDOW);
    ends.toReceiver.length = 0;
    ends.now += 2_000;
    ends.sender.sweep();
    expect(ends.toReceiver).toEqual([]);
    expect(ends.sender.backlogBytes('b')).toBe(0);
    expect(ends.sender.lost).toBeGreaterThan(0);
  });

  it.each([
    ['a window without receipts', (ends: Ends) => lateSweeps(ends, 1), ['b']],
    ['a second one', (ends: Ends) => lateSweeps(ends, 2), ['b', 'b']],
    ['a new connection', (ends: Ends) => ends.sender.reconnected(), ['b']],
  ])('says that there is room when it gives up what was sent: after %s', (_when, giveUp, progress) => {
    const ends = new Ends();
    ends.sender.send('b', parcel(WINDOW_BYTES));
    ends.sender.send('b', parcel(WINDOW_BYTES));
    giveUp(ends);
    expect(ends.progress).toEqual(progress);
  });

  it('begins the unfinished one again when the connection is back', () => {
    const ends = new Ends();
    ends.sender.send('b', parcel(WINDOW_BYTES + PIECE_BYTES, 9));
    ends.toReceiver.length = 0;
    ends.sender.reconnected();
    ends.settle();
    expect(ends.arrived.map(({ length }) => length)).toEqual([WINDOW_BYTES + PIECE_BYTES]);
  });

  it('forgets what is never completed', () => {
    const ends = new Ends();
    ends.sender.send('b', parcel(4 * PIECE_BYTES));
    ends.toReceiver.pop();
    ends.settle();
    ends.now += 60_000;
    ends.receiver.sweep();
    expect(ends.receiver.lost).toBe(1);
  });

  it('hands on what is no piece, also what only begins like one', () => {
    const ends = new Ends();
    ends.sender.send('b', parcel(2 * PIECE_BYTES));
    const [piece] = ends.toReceiver;
    expect(piece === undefined ? null : frameKindOf(piece)).toBe('piece');
    const cut = piece?.subarray(0, 5) ?? Buffer.alloc(0);
    expect(ends.receiver.take('a', cut)).toBe(cut);
    const other = Buffer.from([9, 9]);
    expect(ends.receiver.take('a', other)).toBe(other);
  });
});
