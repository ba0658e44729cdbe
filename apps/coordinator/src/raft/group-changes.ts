/** Changes of the group as an operator names them, by seats, and those who wait outside to be let in. */
import {
  allMembers,
  type Change,
  type ChangeRefusal,
  type Configuration,
  type MemberId,
  type RaftMember,
  type Seat,
  type Seated,
} from '@ringleader/raft';

/** They introduce themselves once a second. */
const APPLICANT_SILENT_MS = 10_000;

export interface MemberRequest {
  readonly kind: 'add' | 'promote' | 'remove' | 'replace';
  readonly seat: Seat;
  /** Of an addition: the leader makes it a voter by itself once it has caught up. */
  readonly isPromotedItself: boolean;
  /** Only if the newest configuration is the one at this index; null: whichever it is. */
  readonly ifIndex: number | null;
}

export type MemberRefusal =
  | ChangeRefusal
  /** Nobody at the seat waits to be let in; nobody there is a member; another configuration is in force. */
  | { readonly reason: 'noApplicant' | 'notAMember' }
  | { readonly reason: 'indexDiffers'; readonly index: number };

/** `unavailable`: certainly not done, and never will be. `outcomeUnknown`: it may be done, or become so later. */
export type MemberChangeOutcome =
  | { readonly kind: 'done'; readonly index: number }
  | { readonly kind: 'refused'; readonly refusal: MemberRefusal }
  | { readonly kind: 'unavailable' }
  | { readonly kind: 'outcomeUnknown' };

interface Waiting {
  readonly index: number;
  readonly term: number;
  /** Its own entry was seen to be committed: the log may forget it before all is settled. */
  isCommitted: boolean;
  readonly deadlineMs: number;
  readonly settle: (outcome: MemberChangeOutcome) => void;
}

export class GroupChanges {
  readonly #applicants = new Map<Seat, { readonly id: MemberId; readonly heardAtMs: number }>();
  #waiting: Waiting[] = [];

  constructor(
    private readonly member: RaftMember,
    private readonly nowMs: () => number,
  ) {}

  heard({ seat, id }: Seated): void {
    this.#applicants.set(seat, { id, heardAtMs: this.nowMs() });
  }

  /** Those that were heard lately and are no members, nor were. */
  get applicants(): Seated[] {
    const { configuration } = this.member;
    const now = this.nowMs();
    return [...this.#applicants]
      .filter(
        ([, { id, heardAtMs }]) => now - heardAtMs < APPLICANT_SILENT_MS && !wasEverIn(configuration, id),
      )
      .map(([seat, { id }]) => ({ seat, id }));
  }

  change(request: MemberRequest, timeoutMs: number): Promise<MemberChangeOutcome> {
    const { role, configurationIndex } = this.member.status();
    if (role !== 'leader') return refused({ reason: 'notLeader' });
    if (request.ifIndex !== null && request.ifIndex !== configurationIndex) {
      return refused({ reason: 'indexDiffers', index: configurationIndex });
    }
    const change = this.#changeOf(request);
    if ('reason' in change) return refused(change);
    const result = this.member.changeConfiguration(change);
    if (result.kind === 'refused') return refused(result);
    const { index, term } = result;
    return new Promise((settle) => {
      const deadlineMs = this.nowMs() + timeoutMs;
      this.#waiting.push({ index, term, isCommitted: false, deadlineMs, settle });
    });
  }

  /** Once per turn. */
  tend(): void {
    if (this.#waiting.length === 0) return;
    const { member } = this;
    const { commitIndex, configurationIndex, isJoint: isStillJoint } = member.status();
    const isSettled = !isStillJoint && configurationIndex <= commitIndex;
    const now = this.nowMs();
    this.#waiting = this.#waiting.filter((waiting) => {
      const { index, term, deadlineMs, settle } = waiting;
      const termThere = index <= commitIndex ? member.termAt(index) : null;
      waiting.isCommitted ||= termThere === term;
      // A snapshot of another leader's may be there in the place of the entry: whose it was there nobody here has seen.
      const isPassedOver = index <= commitIndex && !waiting.isCommitted;
      if (termThere !== null && termThere !== term) settle({ kind: 'unavailable' });
      else if (waiting.isCommitted && isSettled) settle({ kind: 'done', index: configurationIndex });
      else if (isPassedOver || now >= deadlineMs) settle({ kind: 'outcomeUnknown' });
      else return true;
      return false;
    });
  }

  end(): void {
    for (const { settle } of this.#waiting) settle({ kind: 'outcomeUnknown' });
    this.#waiting = [];
  }

  #changeOf({ kind, seat, isPromotedItself }: MemberRequest): Change | MemberRefusal {
    const { configuration } = this.member;
    const learner = configuration.learners.find((one) => one.seat === seat);
    const voter = configuration.voters.find((one) => one.seat === seat);
    const present = learner ?? voter;
    if (kind === 'add') {
      if (present !== undefined) return { reason: 'seatTaken', by: present.id };
      return this.#addition(seat, { isPromotedItself, replaces: 0 });
    }
    if (present === undefined) return { reason: this.#isUnderWay ? 'changeUnderWay' : 'notAMember' };
    if (kind === 'replace') return this.#addition(seat, { isPromotedItself: true, replaces: present.id });
    return { kind, id: present.id };
  }

  /** Who is being removed is a member still, as far as that is decided. */
  get #isUnderWay(): boolean {
    const { isJoint, configurationIndex, commitIndex } = this.member.status();
    return isJoint || configurationIndex > commitIndex;
  }

  #addition(
    seat: Seat,
    how: { readonly isPromotedItself: boolean; readonly replaces: MemberId },
  ): Change | MemberRefusal {
    const member = this.applicants.find((applicant) => applicant.seat === seat);
    return member === undefined ? { reason: 'noApplicant' } : { kind: 'add', member, ...how };
  }
}

function refused(refusal: MemberRefusal): Promise<MemberChangeOutcome> {
  return Promise.resolve({ kind: 'refused', refusal });
}

function wasEverIn(configuration: Configuration, id: MemberId): boolean {
  return configuration.removed.includes(id) || allMembers(configuration).some((member) => member.id === id);
}
