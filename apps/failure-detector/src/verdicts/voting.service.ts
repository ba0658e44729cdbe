import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { OperationalError } from '@ringleader/contracts';
import type { coordinatorContracts, RequestOf } from '@ringleader/contracts';
import type { MemberAssessment, MemberState } from '@ringleader/failure-detection';
import type { MonotonicMs } from '@ringleader/primitives';
import { Coordination, ServiceLogger } from '@ringleader/service-host';
import {
  DetectionService,
  parseMemberName,
  type MemberName,
  type Opinion,
} from '../detection/detection.service.js';
import { DetectorMetrics } from '../detection/detector-metrics.js';

type VoteRequest = RequestOf<(typeof coordinatorContracts)['vote']>;
type CastVote = VoteRequest['votes'][number];

/** Also with nothing to doubt: the coordinators' leader counts who votes for a member by not naming it. */
const VOTE_INTERVAL_MS = 500;
const VOTE_TIMEOUT_MS = 1_000;
/** So long a member that is doubted no more is still named: it is alive under its new incarnation. */
const NAMED_AFTERWARDS_MS = 10_000;

/** Tells the coordinators' leader what this detector holds of the members: at once when that changes, and all the time. */
@Injectable()
export class VotingService implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #states = new Map<MemberName, MemberState>();
  readonly #namedUntil = new Map<MemberName, MonotonicMs>();
  #sequence = 0;
  #nextAt: MonotonicMs = Number.NEGATIVE_INFINITY;
  #underWay = 0;
  #isInTrouble = false;
  #isStopped = false;

  constructor(
    private readonly detection: DetectionService,
    private readonly coordination: Coordination,
    private readonly metrics: DetectorMetrics,
    private readonly logger: ServiceLogger,
  ) {}

  onApplicationBootstrap(): void {
    this.detection.onOpinion((opinion) => this.#take(opinion));
  }

  beforeApplicationShutdown(): void {
    this.#isStopped = true;
  }

  #take({ at, assessments }: Opinion): void {
    const hasChanged = this.#noteChanges(assessments);
    this.#noteDoubts(assessments, at);
    // Who has not read the registry would vote for members of which it does not know that they are missing.
    if (this.#isStopped || !this.detection.isInformed()) return;
    const isDue = at >= this.#nextAt && this.#underWay === 0;
    if (!hasChanged && !isDue) return;
    this.#nextAt = at + VOTE_INTERVAL_MS;
    void this.#send(this.#voteOf(assessments));
  }

  #noteChanges(assessments: readonly MemberAssessment[]): boolean {
    let hasChanged = false;
    const present = new Set(assessments.map(({ member }) => member));
    for (const member of this.#states.keys()) if (!present.has(member)) this.#states.delete(member);
    for (const { member, state } of assessments) {
      const before = this.#states.get(member);
      this.#states.set(member, state);
      // That one is heard for the first time changes no verdict.
      hasChanged ||= before !== undefined && before !== state;
    }
    return hasChanged;
  }

  #noteDoubts(assessments: readonly MemberAssessment[], at: MonotonicMs): void {
    for (const { member, state } of assessments) {
      if (state === 'suspect' || state === 'down') this.#namedUntil.set(member, at + NAMED_AFTERWARDS_MS);
    }
    for (const [member, until] of this.#namedUntil) if (at > until) this.#namedUntil.delete(member);
  }

  #voteOf(assessments: readonly MemberAssessment[]): VoteRequest {
    this.#sequence += 1;
    return {
      instance: this.detection.self.instance,
      sequence: this.#sequence,
      votes: assessments.flatMap((one) => (this.#namedUntil.has(one.member) ? castVote(one) : [])),
      unheard: assessments.filter(({ state }) => state === 'unknown').map(({ member }) => member),
    };
  }

  /** A vote that is lost is said again with the next one. */
  async #send(vote: VoteRequest): Promise<void> {
    this.#underWay += 1;
    try {
      await this.coordination.ask('vote', vote, { timeoutMs: VOTE_TIMEOUT_MS });
      this.metrics.votes.inc({ outcome: 'taken' });
      this.#isInTrouble = false;
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      this.metrics.votes.inc({ outcome: 'failed' });
      if (!this.#isInTrouble && !this.#isStopped)
        this.logger.warn({ error }, 'The coordinators take no votes');
      this.#isInTrouble = true;
    } finally {
      this.#underWay -= 1;
    }
  }
}

function castVote({ member, state, silenceMs, ...known }: MemberAssessment): CastVote[] {
  const identity = parseMemberName(member);
  if (identity === null || state === 'unknown') return [];
  const { phi, missedBeats, instance, incarnation, isHeld } = known;
  const probes = known.probes.map(({ by, outcome }) => ({ by: parseMemberName(by)?.id ?? by, outcome }));
  return [
    {
      ...{
        ...identity,
        instance,
        incarnation,
        verdict: state,
        phi,
        missedBeats,
        silentMs: silenceMs,
        probes,
      },
      ...(isHeld && { held: true }),
    },
  ];
}
