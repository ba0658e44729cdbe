import { PackedMarks } from '@ringleader/paxos';

/** With the marks of all rows as arrays: as they are read they are packed. */
export function withMarksRead<Frame>(frame: Frame): Frame {
  return read(frame) as Frame;
}

function read(part: unknown): unknown {
  if (part instanceof PackedMarks) return [...part];
  if (Array.isArray(part)) return part.map(read);
  if (typeof part !== 'object' || part === null || ArrayBuffer.isView(part)) return part;
  return Object.fromEntries(Object.entries(part).map(([name, value]) => [name, read(value)]));
}
