/**
 * Watchers to whom members push. Frames may be lost, come twice or overtake each other: a follower takes them in the order of
 * their numbers, and where one is missing, or nothing comes, goes on elsewhere from where it is.
 */
import type { WatchPosition } from '@ringleader/mvcc';
import type { MemberId, Prng } from '@ringleader/primitives';
import type { Host, NodeId, Process } from '@ringleader/testing-simulation';
import type { Frame, SimMessage, Watched } from '../sim-messages.js';
import type { DataRules } from './data-rules.js';
import type { Mark, Watcher } from './watchers.js';
import { Workload } from './workload.js';

/** Without the frame that is due next. */
const patienceMs = 90;
const stayMsMax = 1_000;

interface Follower extends Watcher {
  stream: number;
  /** Frames that have come before those in front of them. */
  readonly early: Map<number, Frame>;
  due: number;
  cancelPatience: () => void;
}

export interface FollowersParts {
  readonly count: number;
  readonly members: readonly MemberId[];
  readonly rules: DataRules;
}

export class FollowersProcess implements Process<SimMessage> {
  readonly followers: readonly Follower[];
  readonly #host: Host<SimMessage>;
  readonly #rules: DataRules;
  #members: readonly MemberId[];
  #lastStream = 0;

  constructor(host: Host<SimMessage>, { count, members, rules }: FollowersParts) {
    this.#host = host;
    this.#rules = rules;
    this.#members = members;
    const workload = new Workload(host.prng, { ttlMinMs: 0, ttlSpreadMs: 0, renewals: 0, namesakes: 0 });
    this.followers = Array.from({ length: count }, () => this.#newFollower(workload));
    for (const follower of this.followers) this.#stay(follower);
  }

  receive(_from: NodeId, message: SimMessage): void {
    if (message.kind !== 'pushed') return;
    const follower = this.followers.find(({ stream }) => stream === message.stream);
    if (follower !== undefined) this.#take(follower, message.frame);
  }

  /** They know who is in the group. */
  goOnlyTo(members: readonly MemberId[]): void {
    this.#members = members;
    for (const follower of this.followers) if (!members.includes(follower.member)) this.#move(follower);
  }

  haveSeen(revision: number): boolean {
    return this.followers.every(({ position }) => position.revision > revision);
  }

  get #prng(): Prng {
    return this.#host.prng;
  }

  #newFollower(workload: Workload): Follower {
    const watched: Watched = { ...workload.range(), wantsPrevious: this.#prng.nextBelow(2) === 0 };
    const marks: Mark[] = [{ kind: 'start', revision: 1 }];
    const position: WatchPosition = { revision: 1, skip: 0 };
    const stream = {
      stream: 0,
      early: new Map<number, Frame>(),
      due: 1,
      cancelPatience: (): void => undefined,
    };
    return { watched, marks, position, member: this.#anyMember(), ...stream };
  }

  #stay(follower: Follower): void {
    this.#move(follower);
    this.#host.after(this.#prng.nextFloat() * stayMsMax, () => {
      this.#stay(follower);
    });
  }

  #move(follower: Follower): void {
    this.#host.send(follower.member, { kind: 'leave', stream: follower.stream });
    this.#lastStream += 1;
    follower.stream = this.#lastStream;
    follower.member = this.#anyMember();
    follower.early.clear();
    follower.due = 1;
    const { stream, watched, position: from } = follower;
    this.#host.send(follower.member, { kind: 'follow', stream, watched, from });
    this.#wait(follower);
  }

  #wait(follower: Follower): void {
    follower.cancelPatience();
    follower.cancelPatience = this.#host.after(patienceMs, () => {
      this.#move(follower);
    });
  }

  #take(follower: Follower, frame: Frame): void {
    if (frame.number < follower.due) return;
    follower.early.set(frame.number, frame);
    if (!this.#rules.waitsForMissing() && frame.number > follower.due) follower.due = frame.number;
    for (
      let next = follower.early.get(follower.due);
      next !== undefined;
      next = follower.early.get(follower.due)
    ) {
      follower.early.delete(follower.due);
      follower.due += 1;
      this.#wait(follower);
      this.#note(follower, next);
      if (next.compacted !== null) return;
    }
  }

  #note(follower: Follower, { events, next, progress, compacted }: Frame): void {
    const { marks, position } = follower;
    if (compacted !== null) {
      follower.position = { revision: compacted + 1, skip: 0 };
      marks.push({ kind: 'compacted', from: position.revision, compacted });
      marks.push({ kind: 'start', revision: compacted + 1 });
      this.#move(follower);
      return;
    }
    follower.position = next;
    if (events.length > 0) marks.push({ kind: 'events', events });
    if (progress !== null) marks.push({ kind: 'progress', revision: progress });
    marks.push({ kind: 'at', position: next });
  }

  #anyMember(): MemberId {
    return this.#members[this.#prng.nextBelow(this.#members.length)] as MemberId;
  }
}
