/** Holds the stores of all members against each other. */
import { Injectable } from '@nestjs/common';
import { OperationalError, compactedError } from '@ringleader/contracts';
import { ATTEMPT_MS } from '@ringleader/coordination';
import { allMembers, type MemberId, type Seat } from '@ringleader/raft';
import { Coordination } from '@ringleader/service-host';
import { CoordinatorRaft } from '../raft/raft-node.js';
import { ReplicatedStore } from '../store/replicated-store.service.js';
import { futureRevision } from '../store/wire.js';
import { type HashAnswer, judge, type Judgement } from './store-judgement.js';

/** Who asks for all hashes must get them while one member is silent: else it asks others in vain until its deadline. */
const ANSWER_TIMEOUT_MS = ATTEMPT_MS.read * 0.7;

@Injectable()
export class ComparisonService {
  constructor(
    private readonly raft: CoordinatorRaft,
    private readonly store: ReplicatedStore,
    private readonly coordination: Coordination,
  ) {}

  get isLeading(): boolean {
    return this.raft.status().leading;
  }

  isSelf(id: MemberId): boolean {
    return id === this.raft.group().id;
  }

  /** What this member has at a revision it has applied; null for one it has forgotten, or not come to. */
  own(revision = this.store.local.revision): NonNullable<HashAnswer> {
    const { local } = this.store;
    // 0 would be "now" to the store: of what it was before all writes it keeps no hash once there are some.
    const outcome = revision === 0 && local.revision > 0 ? null : local.hash(revision);
    return {
      id: String(this.raft.group().id),
      revision: local.revision,
      compactedRevision: local.compactedRevision,
      hash: outcome?.kind === 'hash' ? outcome.hash : null,
    };
  }

  /** All members at one revision that this one has applied: the newest, where none is named. */
  async compare(revision?: number): Promise<Judgement> {
    const { configuration } = this.raft.group();
    const { seat: self } = this.raft.status();
    const outcome = this.store.local.hash(revision);
    if (outcome.kind === 'compacted') throw compactedError(revision ?? 0, outcome.compactedRevision);
    if (outcome.kind === 'futureRevision') throw futureRevision(outcome.revision, { parameter: 'revision' });
    const asked = outcome.revision;
    const own = this.own(asked);
    const seats = [...new Set(allMembers(configuration).map(({ seat }) => seat))];
    const answers = await Promise.all(
      seats.map(async (seat) => [seat, seat === self ? own : await this.#answerOf(seat, asked)] as const),
    );
    return judge(asked, configuration, new Map(answers));
  }

  async #answerOf(seat: Seat, revision: number): Promise<HashAnswer> {
    try {
      const options = { timeoutMs: ANSWER_TIMEOUT_MS };
      return await this.coordination.askMember(seat, 'hash', { revision }, options);
    } catch (error) {
      if (error instanceof OperationalError) return null;
      throw error;
    }
  }
}
