import type { MalformedFrame, PeerFrame } from '../src/data-path/index.js';

/** With the marks of batches as arrays: a follower hands them on unread. */
export function withMarksRead(frame: PeerFrame | MalformedFrame): PeerFrame | MalformedFrame {
  if (frame.kind === 'malformed') return frame;
  const messages = frame.messages.map((message) => {
    if (message.kind !== 'accepts') return message;
    const batches = message.batches.map((batch) => ({
      ...batch,
      rows: batch.rows.map((row) => ({ ...row, requests: [...row.requests] })),
    }));
    return { ...message, batches };
  });
  return { ...frame, messages };
}
