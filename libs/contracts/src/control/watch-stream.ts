/**
 * Watches of the coordinator. A client opens a **stream** at one member, under a name that it draws for it, and puts as many
 * watches on it as it likes; the member pushes frames into the client's own inbox. What the client says to its stream is one
 * control message, `watchStream`.
 *
 * Frames of a stream are numbered from 1. A client that misses one, hears nothing for a while, or is sent away leaves the
 * stream and opens another, maybe at another member, where each watch goes on from the first revision that it has not seen:
 * nothing is lost, nothing comes twice. The member sends no more than a window ahead of what the client has said it received;
 * what happens meanwhile is not kept for the client but read from the store's history later.
 */
import { z } from 'zod';
import { ANY_MEMBER, messageContract } from '../message-contract.js';
import { type Speaker, inboxPrefix } from '../subjects.js';
import { NO_KEY, keyRange, namesKeys } from './coordinator-store.js';

/** Of one stream; more need another stream. */
export const WATCHES_PER_STREAM_MAX = 10_000;
/** In one request: with the longest keys it is still a message that NATS takes. */
export const WATCHES_ADDED_MAX = 500;
/** A stream is forgotten when its client says nothing for so long. */
export const WATCH_STREAM_EXPIRES_MS = 20_000;
/** A member says something in each stream about this often, also when nothing happens. */
export const WATCH_SIGN_OF_LIFE_MS = 2_000;

const streamName = z.string().regex(/^[A-Za-z0-9]{1,64}$/);
const watchId = z.int().min(1);

export const watchRequestSchema = z
  .object({
    /** The client's own number for it, new in this stream. */
    id: watchId,
    ...keyRange,
    /** The first revision of interest; one that is to come is waited for. */
    fromRevision: z.int().min(1),
    noPuts: z.boolean().optional(),
    noDeletes: z.boolean().optional(),
    /** Events bring what the key was before. */
    wantsPrevious: z.boolean().optional(),
  })
  .refine(namesKeys, NO_KEY);

export const watchContracts = {
  watchStream: messageContract({
    operation: 'watchStream',
    askers: ANY_MEMBER,
    request: z.object({
      stream: streamName,
      /** Makes the stream. All other requests are for one that exists. */
      isNew: z.boolean().optional(),
      /** The number of the last frame that was received; 0 at first. A request without anything else keeps the stream alive. */
      received: z.int().min(0),
      add: z.array(watchRequestSchema).max(WATCHES_ADDED_MAX).optional(),
      cancel: z.array(watchId).max(WATCHES_PER_STREAM_MAX).optional(),
      /** A frame is sent at once that says up to where everything was sent, as soon as that is so. */
      wantsProgress: z.boolean().optional(),
      isClosed: z.boolean().optional(),
    }),
    response: z.object({
      /** The number of the last frame before this answer. Later ones speak of the added watches, too. */
      sent: z.int().min(0),
      /** So many bytes of frames are sent ahead of what was received: a client says so earlier. */
      windowBytes: z.int().min(1),
    }),
    /** UNAVAILABLE: no such stream, or this member cannot serve; another may. */
    errors: ['UNAVAILABLE', 'OVERLOADED'],
    deadline: 'quick',
  }),
};

/** Where the frames of a stream go: below the client's inboxes, where nobody but a coordinator may speak, and no other listens. */
export function watchInbox(cluster: string, speaker: Speaker, stream: string): string {
  return `${inboxPrefix(cluster, speaker)}.watch.${stream}`;
}
