/**
 * Control calls of one process to one member travel together: all of one turn in one message, and so do their answers, each
 * of which leaves in the turn in which it is there, whatever the others of its message wait for. A message costs the client,
 * nats-server and the member many times what a call in it does.
 *
 * Who does not understand it does not listen to its subject, so that NATS says at once that nobody does, and certainly nobody
 * was told anything: then each call goes by itself, as NestJS has it. A form that is not this one would have another subject.
 *
 * What is not to begin late says so in the time of the member that is asked (`MemberTime`): a message waits in the socket of a
 * process that stands still, where no duration counts, and clocks of two machines are not compared. A member that does not
 * know of it passes over it.
 *
 * A frame is sealed (libs/contracts/src/transport/envelope.ts): what is not as it left is dropped, and counted.
 */
import { CONTENT_AT, openFrame, sealFrame } from '@ringleader/contracts';
import type { FrameRefusal } from '@ringleader/contracts';

export const FRAME_OPERATION = 'calls';

/** In UTF-16 units: a frame is closed before it is longer, unless a single part is. */
export const FRAME_LENGTH_MAX = 131_072;

/** By the monotonic clock of one life of a member, which alone can tell how long ago it was. */
export interface MemberTime {
  readonly life: string;
  readonly ms: number;
}

/** Of a call: its number, its operation, its request; and after when it is not to begin any more. */
export const callPart = (
  id: number,
  operation: string,
  request: unknown,
  notAfter: MemberTime | null = null,
): string => {
  const end = notAfter === null ? '' : `,${timePart(notAfter)}`;
  return `[${id},${JSON.stringify(operation)},${JSON.stringify(request)}${end}]`;
};

const timePart = ({ life, ms }: MemberTime): string => JSON.stringify([life, ms]);

/** Of an answer: the number of its call, and its envelope. */
export const answerPart = (id: number, envelope: unknown): string => `[${id},${JSON.stringify(envelope)}]`;

export interface Frame {
  readonly data: Uint8Array;
  /** How many parts it has, in their order. */
  readonly count: number;
}

export function framesOf(parts: readonly string[]): Frame[] {
  const frames: Frame[] = [];
  let begun: string[] = [];
  let length = 0;
  const close = (): void => {
    if (begun.length > 0) frames.push({ data: sealed(`[${begun.join()}]`), count: begun.length });
    begun = [];
    length = 0;
  };
  for (const part of parts) {
    if (length + part.length > FRAME_LENGTH_MAX) close();
    begun.push(part);
    length += part.length;
  }
  close();
  return frames;
}

function sealed(text: string): Uint8Array {
  const frame = Buffer.allocUnsafe(CONTENT_AT + Buffer.byteLength(text));
  frame.write(text, CONTENT_AT);
  return sealFrame(frame);
}

/** Asks whether anybody is there. */
export const emptyFrame = (): Uint8Array => sealed('[]');

/** Says so, and what time it is there. */
export const clockFrame = (now: MemberTime): Uint8Array => sealed(`[${timePart(now)}]`);

/** Null: of a member that does not tell. */
export function readClock(data: Uint8Array): MemberTime | null {
  const parts = readFrame(data);
  return typeof parts === 'string' ? null : readTime(parts[0]);
}

function readTime(part: unknown): MemberTime | null {
  if (!Array.isArray(part)) return null;
  const [life, ms] = part as readonly unknown[];
  return typeof life === 'string' && typeof ms === 'number' ? { life, ms } : null;
}

/** Its parts; or why it is dropped. */
export function readFrame(data: Uint8Array): readonly unknown[] | FrameRefusal {
  const opened = openFrame(data);
  if (opened.kind === 'refused') return opened.refusal;
  const { buffer, byteOffset, byteLength } = opened.content;
  try {
    const frame: unknown = JSON.parse(Buffer.from(buffer, byteOffset, byteLength).toString('utf8'));
    return Array.isArray(frame) ? frame : 'malformed';
  } catch (error) {
    if (error instanceof SyntaxError) return 'malformed';
    throw error;
  }
}

export interface Call {
  readonly id: number;
  readonly operation: string;
  readonly request: unknown;
  /** Null: whenever it comes. */
  readonly notAfter: MemberTime | null;
}

export function readCall(part: unknown): Call | null {
  if (!Array.isArray(part)) return null;
  const [id, operation, request, end] = part as readonly unknown[];
  const notAfter = end === undefined ? null : readTime(end);
  if (end !== undefined && notAfter === null) return null;
  return Number.isSafeInteger(id) && typeof operation === 'string'
    ? { id: id as number, operation, request, notAfter }
    : null;
}

export interface Answer {
  readonly id: number;
  readonly envelope: unknown;
}

export function readAnswer(part: unknown): Answer | null {
  if (!Array.isArray(part)) return null;
  const [id, envelope] = part as readonly unknown[];
  return Number.isSafeInteger(id) ? { id: id as number, envelope } : null;
}
