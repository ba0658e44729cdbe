/** What is said in JSON outside of the control calls: telemetry, pings. */
import { speakerOf } from '@ringleader/contracts';
import type { Speaker, subjects } from '@ringleader/contracts';
import type { Subscription } from '@nats-io/nats-core';
import type { NatsLink } from './nats-link.js';

/** As zod's schemas have it. */
export interface MessageSchema<Message> {
  safeParse(value: unknown): { readonly success: true; readonly data: Message } | { readonly success: false };
}

export interface JsonSubject<Message> {
  /** By which it is counted what is refused. */
  readonly name: keyof typeof subjects;
  readonly subject: string;
  readonly schema: MessageSchema<Message>;
}

/**
 * What does not fit the schema is counted and dropped: a member of another version, or nothing of ours. So is what
 * `take` gives false for: who said it speaks for another.
 */
export function subscribeJson<Message>(
  link: Pick<NatsLink, 'subscribe' | 'frames' | 'hear'>,
  { name, subject, schema }: JsonSubject<Message>,
  take: (message: Message, speaker: Speaker) => boolean,
): Subscription {
  const { frames } = link;
  return link.subscribe(subject, {
    callback: (error, message) => {
      if (error !== null) return frames.refuse(name, 'error');
      link.hear(message.subject);
      const parsed = schema.safeParse(parseJson(message.string()));
      const speaker = speakerOf(message.subject);
      if (!parsed.success) frames.refuse(name, 'malformed');
      else if (speaker === null || !take(parsed.data, speaker)) frames.refuse(name, 'misattributed');
    },
  });
}

/** Undefined for what is not JSON, which fits no schema. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
