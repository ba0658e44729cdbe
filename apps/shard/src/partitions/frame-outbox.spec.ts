import { describe, expect, it } from '@jest/globals';
import { ByteReader, contentOf, FRAME_BYTES_MAX, PIECE_BYTES } from '@ringleader/contracts';
import { FrameOutbox } from './frame-outbox.js';

function outboxInto(sent: [string, Buffer][]): FrameOutbox<string> {
  return new FrameOutbox<string>({
    start: (writer) => writer.string('header'),
    send: (destination, frame) => sent.push([destination, frame]),
  });
}

function append(outbox: FrameOutbox<string>, destination: string, bytes: Uint8Array): void {
  const writer = outbox.frame(destination);
  writer.bytes(bytes);
  outbox.appended(destination, writer);
}

function itemsOf(frame: Buffer): Uint8Array[] {
  const reader = new ByteReader(contentOf(frame));
  expect(reader.string()).toBe('header');
  const items: Uint8Array[] = [];
  while (!reader.atEnd) items.push(reader.bytes());
  return items;
}

describe('FrameOutbox', () => {
  it('makes one frame per destination of all that a turn brings', () => {
    const sent: [string, Buffer][] = [];
    const outbox = outboxInto(sent);
    append(outbox, 'a', Buffer.from('1'));
    append(outbox, 'b', Buffer.from('2'));
    append(outbox, 'a', Buffer.from('3'));
    expect(sent).toEqual([]);
    outbox.flush();
    expect(sent.map(([to, frame]) => [to, itemsOf(frame).map(String)])).toEqual([
      ['a', ['1', '3'].map((text) => String(Buffer.from(text)))],
      ['b', [String(Buffer.from('2'))]],
    ]);
    outbox.flush();
    expect(sent).toHaveLength(2);
  });

  it('begins a new frame when one has reached its target, and never splits an item', () => {
    const sent: [string, Buffer][] = [];
    const outbox = outboxInto(sent);
    const item = Buffer.alloc(PIECE_BYTES - 100, 7);
    for (let i = 0; i < 5; i++) append(outbox, 'a', item);
    outbox.flush();
    expect(sent.map(([, frame]) => itemsOf(frame).length)).toEqual([2, 2, 1]);
    for (const [, frame] of sent) expect(frame.length).toBeLessThan(FRAME_BYTES_MAX);
  });
});
