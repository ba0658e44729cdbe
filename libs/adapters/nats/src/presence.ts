/** Whether a member is there at all, and what time it is there: NATS says at once where nobody listens to a subject. */
import { errors } from '@nats-io/nats-core';
import { FRAME_OPERATION, type MemberTime, emptyFrame, readClock } from './control-frames.js';
import type { NatsLink } from './nats-link.js';

/** Who is asked answers, and NATS where nobody is: longer than that takes, also while this process is busy. */
export const PATIENCE_MS = 500;

/** `subject`: one of the control subjects of the member, by which it would be called. True where nothing is known. */
export async function isThere(link: NatsLink, subject: string): Promise<boolean> {
  if (!link.isConnected) return true;
  try {
    await link.connection.request(frameSubject(subject), emptyFrame(), { timeout: PATIENCE_MS });
  } catch (error) {
    return !isNobody(error);
  }
  return true;
}

/** Null: nobody is there, or a member that does not tell. Silent: nothing came for so long. */
export async function timeAt(
  link: NatsLink,
  subject: string,
  timeoutMs: number,
): Promise<MemberTime | 'silent' | null> {
  try {
    const options = { timeout: Math.max(1, timeoutMs) };
    return readClock((await link.connection.request(frameSubject(subject), emptyFrame(), options)).data);
  } catch (error) {
    return isNobody(error) ? null : 'silent';
  }
}

/** Of all calls to the member. The operation is a subject's last token. */
export function frameSubject(subject: string): string {
  return `${subject.slice(0, subject.lastIndexOf('.'))}.${FRAME_OPERATION}`;
}

function isNobody(error: unknown): boolean {
  return (
    error instanceof errors.NoRespondersError ||
    (error instanceof errors.RequestError && error.isNoResponders())
  );
}
