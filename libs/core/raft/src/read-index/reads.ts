/** The questions that a leader has been asked, and the round that is to prove its leadership for them. */
import type { LogIndex, MemberId, ReadContext } from '../types.js';

export interface Question {
  readonly asker: MemberId;
  readonly session: number;
  readonly context: ReadContext;
}

interface Round {
  readonly number: number;
  readonly index: LogIndex;
  readonly questions: readonly Question[];
}

export interface LeaderReads {
  /** The number of the newest round. */
  round: number;
  waiting: Question[];
  underWay: Round | null;
  /** The newest round which each member has answered. */
  readonly confirmed: Map<MemberId, number>;
  /** When the rounds were sent, as long as a lease may rest on them. */
  readonly sentAtMs: Map<number, number>;
}

export function newLeaderReads(): LeaderReads {
  return { round: 0, waiting: [], underWay: null, confirmed: new Map(), sentAtMs: new Map() };
}
