/** What is to be expected of a process that is kept running: whether it will serve, or why it will not. */
import type { Supervisor } from './supervisor.js';

/** A service that ends so often before the cluster serves will not recover by being started again. */
const CRASHES_TOLERATED = 6;

export const isRemoved = ({ refusal }: Supervisor): boolean =>
  /^(?:MEMBER|SHARD)_REMOVED/.test(refusal ?? '');
export const refuses = ({ refusal }: Supervisor): boolean => refusal !== undefined;
export const isHopeless = (supervisor: Supervisor): boolean =>
  refuses(supervisor) || supervisor.restarts >= CRASHES_TOLERATED;

export function whyHopeless({ refusal, program: { name, logFile } }: Supervisor): string {
  return `${name} ${refusal === undefined ? 'keeps ending' : 'refuses to run'}: see ${logFile}`;
}
