import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { OperationalError } from '@ringleader/contracts';
import type { coordinatorContracts, RequestOf } from '@ringleader/contracts';
import { Voter } from '@ringleader/failure-detection';
import type { DueVote, MemberAssessment } from '@ringleader/failure-detection';
import { Coordination, ServiceLogger } from '@ringleader/service-host';
import { DetectionService, parseMemberName, type Opinion } from '../detection/detection.service.js';
import { DetectorMetrics } from '../detection/detector-metrics.js';

type VoteRequest = RequestOf<(typeof coordinatorContracts)['vote']>;
type CastVote = VoteRequest['votes'][number];

const VOTE_TIMEOUT_MS = 1_000;

/** Tells the coordinators' leader what this detector holds of the members: at once when that changes, and all the time. */
@Injectable()
export class VotingService implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #voter = new Voter();
  #sequence = 0;
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
    // Who has not read the registry would vote for members of which it does not know that they are missing.
    if (this.#isStopped || !this.detection.isInformed()) return;
    const due = this.#voter.take(assessments, at, this.#underWay > 0);
    if (due !== null) void this.#send(this.#requestOf(due));
  }

  #requestOf({ named, unheard }: DueVote): VoteRequest {
    this.#sequence += 1;
    return {
      instance: this.detection.self.instance,
      sequence: this.#sequence,
      votes: named.flatMap(castVote),
      unheard: [...unheard],
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
