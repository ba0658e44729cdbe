/**
 * Pings among all processes, and the probes that failure detectors have others make for them, as in SWIM: whether a member
 * lives that a detector no longer hears. Advice like heartbeats: a lost one is silence. All are JSON.
 */
import { z } from 'zod';
import { SERVICES } from '../metadata/cluster-metadata.js';

const nonce = z.int().min(0);
const incarnation = z.int().min(1);

export const pingSchema = z.object({
  /** Comes back with the answer. */
  nonce,
  /** A failure detector suspects the member under this incarnation: it raises its own, if that is the one. */
  suspectedAt: incarnation.optional(),
});
export type Ping = z.infer<typeof pingSchema>;

export const pongSchema = z.object({
  nonce,
  /** Of the process that answers. */
  instance: z.string(),
  incarnation,
});
export type Pong = z.infer<typeof pongSchema>;

/** "Ping this member for me": from a failure detector to any member. */
export const probeRequestSchema = z.object({
  round: nonce,
  service: z.enum(SERVICES),
  id: z.string(),
  suspectedAt: incarnation.optional(),
  /** Who has not answered by then is silent. */
  withinMs: z.int().min(1).max(10_000),
});
export type ProbeRequest = z.infer<typeof probeRequestSchema>;

export const probeReportSchema = z.object({
  round: nonce,
  service: z.enum(SERVICES),
  id: z.string(),
  outcome: z.enum(['answered', 'silent']),
});
export type ProbeReport = z.infer<typeof probeReportSchema>;
