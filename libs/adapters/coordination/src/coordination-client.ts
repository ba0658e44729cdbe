/**
 * Calls the coordinator. Any member serves any request but `leaseKeepAlive`, so a member that cannot be reached is passed
 * over for the next one. Writes are repeated only while it is certain that nothing was done; what may have been done
 * ends with OUTCOME_UNKNOWN, and the caller's own conditions decide whether to try again.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { DEADLINE_MS, OperationalError, coordinatorContracts, subjects } from '@ringleader/contracts';
import type {
  CoordinatorOperation,
  PlacementOperation,
  RequestOf,
  ResponseOf,
  Speaker,
  UpkeepOperation,
  VerificationOperation,
} from '@ringleader/contracts';
import { ControlClient, isThere } from '@ringleader/nats';
import type { CallTerms, ControlOutcome, NatsLink } from '@ringleader/nats';
import { backOffMs, jittered, type Clock, type MemberId } from '@ringleader/primitives';
import { WatchClient } from './watch-client.js';
import type { WatchHandle, WatchListener, WatchOptions } from './watch-client.js';

type Contracts = typeof coordinatorContracts;
export type CoordinatorRequest<Operation extends CoordinatorOperation> = RequestOf<Contracts[Operation]>;
export type CoordinatorResponse<Operation extends CoordinatorOperation> = ResponseOf<Contracts[Operation]>;

export interface CallOptions {
  /** For the whole call, repeats included. Absent: the contract's deadline class. */
  readonly timeoutMs?: number;
}

export interface CoordinationClientOptions {
  readonly link: NatsLink;
  readonly cluster: string;
  /** Who asks. */
  readonly speaker: Speaker;
  readonly clock: Clock;
  /** Absent: all that there can be; a member that does not exist is passed over without waiting. */
  readonly members?: readonly MemberId[];
}

/** What the other classes here need of the client; tests have a twin of it. */
export type Coordinator = Pick<
  CoordinationClient,
  'range' | 'txn' | 'leaseGrant' | 'leaseKeepAlive' | 'leaseRevoke' | 'watch' | 'ask'
>;

/** What is said to the coordinators' leader of moves. */
export interface CoordinatorPlacement {
  ask(
    operation: 'reportMoves',
    request: CoordinatorRequest<'reportMoves'>,
    options?: CallOptions,
  ): Promise<CoordinatorResponse<'reportMoves'>>;
}

/** What is asked of the coordinators about themselves. */
export type CoordinatorGroup = Pick<
  CoordinationClient,
  'status' | 'members' | 'changeMembers' | 'transferLeader' | 'ask' | 'askMember' | 'close'
>;

const MEMBERS_EVER: readonly MemberId[] = [1, 2, 3, 4, 5, 6, 7, 8, 9];
/** What a person decides, and may have decided otherwise by the time at which it would be done late. */
const COMMANDS: ReadonlySet<CoordinatorOperation> = new Set([
  'changeMembers',
  'transferLeader',
  'compact',
  'changePlacement',
  'recoverPartitions',
  'startVerification',
]);

/** A member answers or refuses sooner than this, so silence for longer is taken for a dead or cut-off one. */
export const ATTEMPT_MS: Readonly<Record<'read' | 'write', number>> = { read: 1_000, write: 3_000 };
const PAUSE = { firstMs: 40, maxMs: 250 } as const;
const WRITES: ReadonlySet<CoordinatorOperation> = new Set([
  'txn',
  'leaseGrant',
  'leaseRevoke',
  'changeMembers',
  'transferLeader',
  'compact',
  'changePlacement',
  'recoverPartitions',
  'reportIncident',
  'startVerification',
]);

type NextStep = 'fail' | 'go-on';

export class CoordinationClient {
  readonly #control: ControlClient;
  readonly #members: readonly MemberId[];
  readonly #watches: WatchClient;
  /** The one that answered last, or that was named as the leader. */
  #preferred: MemberId;
  #isClosed = false;

  constructor(private readonly options: CoordinationClientOptions) {
    this.#control = new ControlClient(options.link);
    this.#members = options.members ?? MEMBERS_EVER;
    this.#preferred = this.#members[0] ?? 1;
    this.#watches = new WatchClient({
      ...options,
      control: this.#control,
      members: this.#members,
      firstMember: () => this.#preferred,
      isThere: (member) => isThere(options.link, this.#subject(member, 'watchStream')),
    });
  }

  range(request: CoordinatorRequest<'range'>, options?: CallOptions): Promise<CoordinatorResponse<'range'>> {
    return this.#call('range', request, options);
  }

  /** OUTCOME_UNKNOWN: the conditions of the transaction tell, when it is sent again, whether it was done. */
  txn(request: CoordinatorRequest<'txn'>, options?: CallOptions): Promise<CoordinatorResponse<'txn'>> {
    return this.#call('txn', request, options);
  }

  /** OUTCOME_UNKNOWN may leave a lease that nobody keeps alive: it runs out by itself. */
  leaseGrant(
    request: CoordinatorRequest<'leaseGrant'>,
    options?: CallOptions,
  ): Promise<CoordinatorResponse<'leaseGrant'>> {
    return this.#call('leaseGrant', request, options);
  }

  leaseKeepAlive(
    request: CoordinatorRequest<'leaseKeepAlive'>,
    options?: CallOptions,
  ): Promise<CoordinatorResponse<'leaseKeepAlive'>> {
    return this.#call('leaseKeepAlive', request, options);
  }

  leaseRevoke(
    request: CoordinatorRequest<'leaseRevoke'>,
    options?: CallOptions,
  ): Promise<CoordinatorResponse<'leaseRevoke'>> {
    return this.#call('leaseRevoke', request, options);
  }

  leaseTimeToLive(
    request: CoordinatorRequest<'leaseTimeToLive'>,
    options?: CallOptions,
  ): Promise<CoordinatorResponse<'leaseTimeToLive'>> {
    return this.#call('leaseTimeToLive', request, options);
  }

  leases(
    request: CoordinatorRequest<'leases'>,
    options?: CallOptions,
  ): Promise<CoordinatorResponse<'leases'>> {
    return this.#call('leases', request, options);
  }

  /** Goes on by itself from member to member until it is cancelled, or ends (`onEnd`). */
  watch(options: WatchOptions, listener: WatchListener): WatchHandle {
    return this.#watches.watch(options, listener);
  }

  members(options?: CallOptions): Promise<CoordinatorResponse<'members'>> {
    return this.#call('members', {}, options);
  }

  changeMembers(
    request: CoordinatorRequest<'changeMembers'>,
    options?: CallOptions,
  ): Promise<CoordinatorResponse<'changeMembers'>> {
    return this.#call('changeMembers', request, options);
  }

  transferLeader(
    request: CoordinatorRequest<'transferLeader'>,
    options?: CallOptions,
  ): Promise<CoordinatorResponse<'transferLeader'>> {
    return this.#call('transferLeader', request, options);
  }

  /** Whatever operators ask, and what is said to the leader. */
  ask<Operation extends UpkeepOperation | PlacementOperation | VerificationOperation>(
    operation: Operation,
    request: CoordinatorRequest<Operation>,
    options?: CallOptions,
  ): Promise<CoordinatorResponse<Operation>> {
    return this.#call(operation, request, options);
  }

  /** Asks this member and nobody else, once. */
  async askMember<Operation extends UpkeepOperation>(
    member: MemberId,
    operation: Operation,
    request: CoordinatorRequest<Operation>,
    options?: CallOptions,
  ): Promise<CoordinatorResponse<Operation>> {
    const contract: Contracts[Operation] = coordinatorContracts[operation];
    const subject = this.#subject(member, operation);
    const outcome = await this.#control.call(contract, subject, request, options);
    if (outcome.kind === 'failed') throw outcome.error;
    return outcome.response;
  }

  /** Asks one member about itself, without repeats. Null when it does not answer. */
  async status(member: MemberId, options?: CallOptions): Promise<CoordinatorResponse<'status'> | null> {
    const subject = this.#subject(member, 'status');
    const outcome = await this.#control.call(coordinatorContracts.status, subject, {}, options);
    return outcome.kind === 'answered' ? outcome.response : null;
  }

  /** Calls that wait for an answer fail at once. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#watches.close();
    await this.#control.close();
  }

  async #call<Operation extends CoordinatorOperation>(
    operation: Operation,
    request: CoordinatorRequest<Operation>,
    options: CallOptions = {},
  ): Promise<CoordinatorResponse<Operation>> {
    const timeoutMs = options.timeoutMs ?? DEADLINE_MS[coordinatorContracts[operation].deadline];
    const deadline = this.options.clock.monotonicMs() + timeoutMs;
    const isWrite = changesSomething(operation, request);
    for (let attempt = 1; ; attempt++) {
      const remainingMs = deadline - this.options.clock.monotonicMs();
      const member = this.#preferred;
      const terms = termsOf(operation, isWrite, remainingMs);
      const outcome = await this.#attempt(member, operation, request, terms);
      if (outcome.kind === 'answered') return outcome.response;
      const error = callersError(operation, isWrite, outcome.error);
      const step = this.#nextStep(member, isWrite, outcome.error);
      if (step === 'fail' || this.#isClosed) throw error;
      const pauseMs = pauseAfter(attempt, this.#members.length);
      if (this.options.clock.monotonicMs() + pauseMs >= deadline) throw error;
      if (pauseMs > 0) await pause(pauseMs);
    }
  }

  #attempt<Operation extends CoordinatorOperation>(
    member: MemberId,
    operation: Operation,
    request: CoordinatorRequest<Operation>,
    terms: CallTerms,
  ): Promise<ControlOutcome<CoordinatorResponse<Operation>>> {
    const subject = this.#subject(member, operation);
    const contract: Contracts[Operation] = coordinatorContracts[operation];
    return this.#control.call(contract, subject, request, terms);
  }

  #subject(member: MemberId, operation: CoordinatorOperation): string {
    const { cluster, speaker } = this.options;
    return subjects.ask.from(cluster, speaker, member, operation);
  }

  #nextStep(asked: MemberId, isWrite: boolean, error: OperationalError): NextStep {
    switch (error.code) {
      case 'NOT_LEADER':
        this.#follow(asked, error.details['leader']);
        return 'go-on';
      case 'UNAVAILABLE':
      case 'OVERLOADED':
        this.#passOver(asked);
        return 'go-on';
      case 'DISK_FULL':
        // Of a majority the leader alone knows: then nobody has a better answer.
        if (error.details['isMajorityFull'] === true) return 'fail';
        this.#passOver(asked);
        return 'go-on';
      case 'DEADLINE_EXCEEDED':
      case 'OUTCOME_UNKNOWN':
        // This member is not asked first next time, whether or not this call may be repeated.
        this.#passOver(asked);
        return isWrite ? 'fail' : 'go-on';
      default:
        return 'fail';
    }
  }

  #follow(asked: MemberId, leader: unknown): void {
    const member = this.#members.find((candidate) => candidate === leader);
    if (member === undefined || member === asked) this.#passOver(asked);
    else this.#preferred = member;
  }

  /** Once, however many calls it has failed at the same time: each of them would move on by one, and some come back to it. */
  #passOver(asked: MemberId): void {
    if (this.#preferred === asked) this.#preferred = this.#memberAfter(asked);
  }

  #memberAfter(member: MemberId): MemberId {
    const position = this.#members.indexOf(member);
    return this.#members[(position + 1) % this.#members.length] ?? member;
  }
}

function changesSomething(operation: CoordinatorOperation, request: object): boolean {
  return WRITES.has(operation) && !('dryRun' in request && request.dryRun === true);
}

function termsOf(operation: CoordinatorOperation, isWrite: boolean, remainingMs: number): CallTerms {
  const attemptMs = ATTEMPT_MS[isWrite ? 'write' : 'read'];
  return {
    timeoutMs: Math.max(1, Math.ceil(Math.min(remainingMs, attemptMs))),
    beginsInTime: isWrite && COMMANDS.has(operation),
  };
}

/** Each member is asked once before the first pause; later rounds wait longer, so that an election is not hammered. */
function pauseAfter(attempt: number, members: number): number {
  if (attempt % members !== 0) return 0;
  return jittered(backOffMs(PAUSE, attempt / members), Math.random());
}

function callersError(
  operation: CoordinatorOperation,
  isWrite: boolean,
  error: OperationalError,
): OperationalError {
  if (error.code === 'NOT_LEADER') {
    const detail = `No leader of the coordinators was found in time for ${operation}`;
    return new OperationalError('UNAVAILABLE', detail, { operation }, { cause: error });
  }
  if (error.code !== 'DEADLINE_EXCEEDED' || !isWrite) return error;
  return new OperationalError(
    'OUTCOME_UNKNOWN',
    `The coordinator did not say whether ${operation} was done`,
    error.details,
    { cause: error },
  );
}
