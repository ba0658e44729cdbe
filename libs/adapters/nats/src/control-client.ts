/**
 * Calls control contracts on the process's own connection, with a deadline for each call: all calls of a turn to one member
 * in one message, or one by one over NestJS' NATS transport to a member that does not know such messages (control-frames.ts).
 */
import type { Msg, Subscription } from '@nats-io/nats-core';
import { createInbox } from '@nats-io/nats-core';
import { ClientNats } from '@nestjs/microservices';
import { DEADLINE_MS, OperationalError, fromWireError } from '@ringleader/contracts';
import type { MessageContract, RequestOf, ResponseOf } from '@ringleader/contracts';
import { isControlEnvelope } from './control-envelope.js';
import type { Answer, MemberTime } from './control-frames.js';
import { callPart, framesOf, readAnswer, readFrame } from './control-frames.js';
import { noStatus } from './control-server.js';
import type { NatsLink } from './nats-link.js';
import { PATIENCE_MS, frameSubject, isThere, timeAt } from './presence.js';

export type ControlOutcome<Response> =
  | { readonly kind: 'answered'; readonly response: Response }
  /**
   * UNAVAILABLE: the request did not reach anyone. DEADLINE_EXCEEDED: no answer came in time, the request may have been
   * carried out. Any other code is the service's own.
   */
  | { readonly kind: 'failed'; readonly error: OperationalError };

export interface CallTerms {
  /** Absent: the contract's deadline class decides. */
  readonly timeoutMs?: number | undefined;
  /**
   * Whether the member is not to begin it any more once that is over, however long the request lay somewhere: it is asked what
   * time it is first, and where it does not say so nothing is sent.
   */
  readonly beginsInTime?: boolean;
}

class SharedConnectionClient extends ClientNats {
  constructor(private readonly link: NatsLink) {
    super(link.inboxPrefix === undefined ? {} : { inboxPrefix: link.inboxPrefix });
  }

  override createClient(): Promise<Record<string, unknown>> {
    const { connection } = this.link;
    return Promise.resolve({
      subscribe: this.link.subscribe.bind(this.link),
      publish: connection.publish.bind(connection),
      status: noStatus,
      close: () => Promise.resolve(),
    });
  }
}

interface Waiting {
  readonly id: number;
  readonly contract: MessageContract;
  readonly subject: string;
  readonly request: unknown;
  readonly notAfter: MemberTime | null;
  readonly timer: NodeJS.Timeout;
  readonly resolve: (outcome: ControlOutcome<unknown>) => void;
  /** The number of the frame in which it left; 0 where it did not, or not yet. */
  frame: number;
  /** Where it left by itself. */
  singly: { unsubscribe(): void } | null;
}

/** So long a member that did not know frames is taken for one that does not. */
const WITHOUT_FRAMES_MS = 10_000;
/** A call that is not answered within this may be to a member that has died: that is looked into, again and again. */
const LOOK_AFTER_MS = 150;
/** A member that takes longer to say what time it is does not answer in time either. */
const TIME_TOLD_WITHIN_MS = 1_000;
/** In the headers of what NATS says itself. */
const NO_RESPONDERS = 503;

export class ControlClient {
  private readonly singly: SharedConnectionClient;
  private readonly waiting = new Map<number, Waiting>();
  private queue: Waiting[] = [];
  private lastId = 0;
  private lastFrame = 0;
  /** The subjects of frames, and until when nobody is asked there. */
  private readonly withoutFrames = new Map<string, number>();
  /** The subjects of frames on whose answers somebody waits. */
  private readonly watched = new Map<string, NodeJS.Timeout>();
  private readonly inbox: string;
  private subscription: Subscription | null = null;
  private isClosed = false;
  private readonly unlisten: () => void;

  constructor(private readonly link: NatsLink) {
    this.singly = new SharedConnectionClient(link);
    this.inbox = createInbox(link.inboxPrefix);
    // What was asked through a connection that broke may be lost, and so may its answer: nobody waits for it any more.
    this.unlisten = link.onChange((isConnected) => {
      if (!isConnected) this.endAll();
    });
  }

  /** `subject` ends with the operation. */
  async call<C extends MessageContract>(
    contract: C,
    subject: string,
    request: RequestOf<C>,
    { timeoutMs = DEADLINE_MS[contract.deadline], beginsInTime = false }: CallTerms = {},
  ): Promise<ControlOutcome<ResponseOf<C>>> {
    const { operation } = contract;
    if (!this.link.isConnected) return { kind: 'failed', error: nobodyServes(operation) };
    const end = beginsInTime ? await this.endAt(subject, timeoutMs) : { leftMs: timeoutMs, notAfter: null };
    if (end === null) return { kind: 'failed', error: doesNotAnswer(operation) };
    const { leftMs, notAfter } = end;
    const outcome = await new Promise<ControlOutcome<unknown>>((resolve) => {
      const id = ++this.lastId;
      const timer = setTimeout(() => this.endOf(id, operation, timeoutMs), leftMs);
      const call = { id, contract, subject, request, notAfter, timer, resolve, frame: 0, singly: null };
      this.waiting.set(id, call);
      if (this.queue.push(call) === 1) setImmediate(() => this.send());
    });
    return outcome as ControlOutcome<ResponseOf<C>>;
  }

  private endOf(id: number, operation: string, timeoutMs: number): void {
    // NATS says within that where nobody is.
    if (timeoutMs >= PATIENCE_MS) this.link.noteCall('taken');
    this.fail(id, notInTime(operation, timeoutMs));
  }

  /** When the time of a call is over, there and here. Null: nothing is to be sent. */
  private async endAt(
    subject: string,
    timeoutMs: number,
  ): Promise<{ leftMs: number; notAfter: MemberTime | null } | null> {
    const startedAt = performance.now();
    const time = await timeAt(this.link, subject, Math.min(timeoutMs, TIME_TOLD_WITHIN_MS));
    // By now it is as late there, or later.
    const leftMs = timeoutMs - (performance.now() - startedAt);
    if (time === 'silent' || leftMs <= 0 || !this.link.isConnected || this.isClosed) return null;
    return { leftMs, notAfter: time === null ? null : { ...time, ms: time.ms + leftMs } };
  }

  /** Calls that wait for an answer end at once, with DEADLINE_EXCEEDED. */
  async close(): Promise<void> {
    this.isClosed = true;
    this.unlisten();
    this.endAll();
    for (const timer of this.watched.values()) clearTimeout(timer);
    this.subscription?.unsubscribe();
    await this.singly.close();
  }

  private send(): void {
    const queued = this.queue.filter(({ id }) => this.waiting.has(id));
    this.queue = [];
    const now = performance.now();
    for (const [subject, calls] of Map.groupBy(queued, (call) => frameSubject(call.subject))) {
      const isWithoutFrames = (this.withoutFrames.get(subject) ?? 0) > now;
      // Who told its time knows frames by now.
      if (!isWithoutFrames || calls.some(({ notAfter }) => notAfter !== null))
        this.sendTogether(subject, calls);
      else for (const call of calls) this.sendSingly(call);
    }
  }

  private sendTogether(subject: string, calls: Waiting[]): void {
    this.subscription ??= this.link.subscribe(`${this.inbox}.*`, {
      callback: (error, message) => {
        if (error === null) this.take(message);
      },
    });
    const parts = calls.map(({ id, contract, request, notAfter }) =>
      callPart(id, contract.operation, request, notAfter),
    );
    for (const { data, count } of framesOf(parts)) this.publish(subject, data, calls.splice(0, count));
    this.watch(subject);
  }

  private watch(subject: string): void {
    if (this.watched.has(subject)) return;
    const timer = setTimeout(() => {
      this.watched.delete(subject);
      void this.look(subject);
    }, LOOK_AFTER_MS);
    this.watched.set(subject, timer);
  }

  /**
   * Who has died answers nothing any more of what left before it was asked whether it is there, however lately: by the next look
   * it may be there again. And one that takes long to say so may be dying, so that the next look does not wait for this one.
   */
  private async look(subject: string): Promise<void> {
    if (this.waitingAt(subject).length === 0) return;
    this.watch(subject);
    const { lastFrame } = this;
    if (await isThere(this.link, subject)) return;
    for (const { id, contract, frame } of this.waitingAt(subject))
      if (frame <= lastFrame) this.fail(id, memberGone(contract.operation));
  }

  private waitingAt(subject: string): Waiting[] {
    return [...this.waiting.values()].filter(
      (call) => call.frame !== 0 && frameSubject(call.subject) === subject,
    );
  }

  private publish(subject: string, frame: Uint8Array, calls: readonly Waiting[]): void {
    this.lastFrame += 1;
    for (const call of calls) call.frame = this.lastFrame;
    try {
      this.link.connection.publish(subject, frame, { reply: `${this.inbox}.${this.lastFrame}` });
    } catch (cause) {
      const { max_payload: bytesMax = Infinity } = this.link.connection.info ?? {};
      for (const {
        id,
        contract: { operation },
      } of calls) {
        const isTooLong = frame.length > bytesMax;
        this.fail(id, isTooLong ? tooLong(operation, bytesMax) : nobodyServes(operation, cause));
      }
    }
  }

  private take(message: Msg): void {
    if (message.headers?.code === NO_RESPONDERS) {
      this.link.noteCall('nobody');
      this.sendAgain(Number(message.subject.slice(this.inbox.length + 1)));
      return;
    }
    const { frames } = this.link;
    const parts = readFrame(message.data);
    if (typeof parts === 'string') return frames.refuse('ask', parts);
    for (const part of parts) {
      const answer = readAnswer(part);
      if (answer === null) frames.refuse('ask', 'malformed');
      else this.takeAnswer(answer);
    }
  }

  /** Nobody waits any more for one that is late. */
  private takeAnswer({ id, envelope }: Answer): void {
    this.link.noteCall('answered');
    const call = this.waiting.get(id);
    if (call !== undefined) this.settle(id, readReply(call.contract, envelope));
  }

  /** Nobody has heard of them. Who answers all the same does not know frames, or has just come; who does not is not there at all. */
  private sendAgain(frame: number): void {
    for (const call of [...this.waiting.values()].filter((waiting) => waiting.frame === frame)) {
      const { operation } = call.contract;
      if (call.notAfter !== null) this.fail(call.id, nobodyServes(operation));
      else this.sendSingly(call, () => void this.noteAnswered(frameSubject(call.subject)));
    }
  }

  /** Nobody looks after what is sent singly: not to one that has just come, which listens to frames before anything else. */
  private async noteAnswered(subject: string): Promise<void> {
    if (await isThere(this.link, subject)) return;
    this.withoutFrames.set(subject, performance.now() + WITHOUT_FRAMES_MS);
  }

  private sendSingly(call: Waiting, onAnswer: () => void = () => undefined): void {
    const { id, contract, subject, request } = call;
    call.frame = 0;
    call.singly = this.singly.send<unknown>(subject, request).subscribe({
      next: (reply) => {
        this.link.noteCall('answered');
        onAnswer();
        this.settle(id, readReply(contract, reply));
      },
      error: (cause) => this.fail(id, nobodyServes(contract.operation, cause)),
    });
  }

  private endAll(): void {
    for (const { id, contract } of this.waiting.values()) this.fail(id, connectionEnded(contract.operation));
  }

  private fail(id: number, error: OperationalError): void {
    this.settle(id, { kind: 'failed', error });
  }

  private settle(id: number, outcome: ControlOutcome<unknown>): void {
    const call = this.waiting.get(id);
    if (call === undefined) return;
    this.waiting.delete(id);
    clearTimeout(call.timer);
    call.singly?.unsubscribe();
    call.resolve(outcome);
  }
}

/** A peer of another version, or a bug: the issues say where the two disagree. */
function readReply(contract: MessageContract, reply: unknown): ControlOutcome<unknown> {
  if (isControlEnvelope(reply)) {
    if (reply.kind === 'error') {
      const error = fromWireError(reply.error);
      if (error !== null) return { kind: 'failed', error };
    } else {
      const parsed = contract.response.safeParse(reply.response);
      if (parsed.success) return { kind: 'answered', response: parsed.data };
    }
  }
  const error = new OperationalError(
    'INTERNAL',
    `The answer to ${contract.operation} does not fit its contract`,
  );
  return { kind: 'failed', error };
}

/** It would be at any other member, too. */
function tooLong(operation: string, bytesMax: number): OperationalError {
  const message = `The ${operation} request is longer than NATS takes`;
  return new OperationalError('REQUEST_TOO_LARGE', message, { operation, bytesMax });
}

function notInTime(operation: string, timeoutMs: number): OperationalError {
  return new OperationalError('DEADLINE_EXCEEDED', `No answer to ${operation} within ${timeoutMs} ms`, {
    operation,
    timeoutMs,
  });
}

function connectionEnded(operation: string): OperationalError {
  return new OperationalError(
    'DEADLINE_EXCEEDED',
    `The connection to NATS ended while ${operation} was waited for`,
    { operation },
  );
}

function memberGone(operation: string): OperationalError {
  return new OperationalError('DEADLINE_EXCEEDED', `The member that was asked for ${operation} has ended`, {
    operation,
  });
}

/** Nothing was sent to it. */
function doesNotAnswer(operation: string): OperationalError {
  const message = `The member that was to be asked for ${operation} does not answer: nothing was done`;
  return new OperationalError('UNAVAILABLE', message, { operation });
}

function nobodyServes(operation: string, cause?: unknown): OperationalError {
  return new OperationalError(
    'UNAVAILABLE',
    `Nobody serves ${operation} at present`,
    { operation },
    { cause },
  );
}
