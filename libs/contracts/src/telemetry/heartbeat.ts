/**
 * Published by every process: a heartbeat with its load, four times a second; and by every failure detector: what it
 * makes of the heartbeats it sees. Both are advice: nothing durable rests on them (§7).
 */
import { z } from 'zod';
import { SERVICES } from '../metadata/cluster-metadata.js';

export const HEARTBEAT_INTERVAL_MS = 250;

export const loadSchema = z.object({
  /** CPU time of the process per wall time since its last heartbeat: 1 is one core. */
  cpuCores: z.number().min(0),
  memoryBytes: z.int().min(0),
  /** How late the timer of this heartbeat fired: at other times nobody looks. */
  eventLoopLagMs: z.number().min(0),
  /** Requests in flight or queued. */
  inFlight: z.int().min(0),
  requestsPerSecond: z.number().min(0),
});
export type Load = z.infer<typeof loadSchema>;

export const heartbeatSchema = z.object({
  service: z.enum(SERVICES),
  id: z.string(),
  instance: z.string(),
  /** Counts up from 1 for each instance. */
  sequence: z.int().min(1),
  /** Whether another process may be disturbed, because this one stands; who does not say so is taken to. */
  ready: z.boolean().default(true),
  /** Raised when the process hears that it is suspected. Who has none does not know of pings. */
  incarnation: z.int().min(1).optional(),
  load: loadSchema,
});
export type Heartbeat = z.infer<typeof heartbeatSchema>;

export const verdictSchema = z.enum(['alive', 'suspect', 'down', 'unknown']);
export type Verdict = z.infer<typeof verdictSchema>;

export const verdictReportSchema = z.object({
  detector: z.string(),
  instance: z.string(),
  sequence: z.int().min(1),
  members: z.array(
    z.object({
      service: z.enum(SERVICES),
      id: z.string(),
      verdict: verdictSchema,
      phi: z.number().min(0),
      /** Since the last heartbeat heard, on the detector's clock; null when none was ever heard. */
      lastHeartbeatAgeMs: z.number().min(0).nullable(),
      /** Of the process that was heard last. */
      instance: z.string().nullable().optional(),
      incarnation: z.int().min(1).nullable().optional(),
    }),
  ),
});
export type VerdictReport = z.infer<typeof verdictReportSchema>;
