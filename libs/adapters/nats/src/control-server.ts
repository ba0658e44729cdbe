/**
 * Serves control contracts over NestJS' NATS transport, on the process's own connection: the strategy of a Nest
 * microservice whose controllers use `@Handles(contract)`. It puts this member's prefix on the subjects, takes the speaker
 * from them, refuses who may not ask, and hands parsed requests on; an OperationalError that a handler throws reaches the
 * caller with its code.
 */
import { randomUUID } from 'node:crypto';
import type { Msg, Subscription } from '@nats-io/nats-core';
import { ServerNats } from '@nestjs/microservices';
import type { MessageHandler, NatsContext, WritePacket } from '@nestjs/microservices';
import {
  OperationalError,
  inboxPrefix,
  mayAsk,
  speakerOf,
  subjects,
  toWireError,
} from '@ringleader/contracts';
import type { MessageContract, Speaker } from '@ringleader/contracts';
import { InvariantError, invariant } from '@ringleader/primitives';
import { lastValueFrom } from 'rxjs';
import type { ControlEnvelope } from './control-envelope.js';
import {
  FRAME_LENGTH_MAX,
  FRAME_OPERATION,
  answerPart,
  clockFrame,
  framesOf,
  readCall,
  readFrame,
} from './control-frames.js';
import type { Call, MemberTime } from './control-frames.js';
import type { ControlHandler } from './handles.js';
import type { NatsLink } from './nats-link.js';

export interface ControlServerOptions {
  readonly link: NatsLink;
  readonly cluster: string;
  /** Who is asked: the last but one token of the subjects. */
  readonly member: string | number;
  /** Told of every error that a handler did not expect; the caller gets INTERNAL. */
  readonly onUnexpectedError: (operation: string, error: unknown) => void;
}

interface Served {
  readonly contract: MessageContract;
  readonly handler: ControlHandler<MessageContract>;
}

/** Of one turn, to one client. */
interface Answers {
  /** Where one of its frames wants answers: what they are to is in themselves. */
  reply: string;
  parts: string[];
  length: number;
}

const INBOX = '_INBOX.';
const MEMBERS_INBOX = `${INBOX}rl.`;
/** The frame of an answer, or what NestJS adds to it. */
const AROUND_ANSWER_BYTES = 1_024;
/** Of one unit of UTF-16. */
const UTF8_BYTES_MAX = 3;

export class ControlServer extends ServerNats {
  private readonly served = new Map<string, Served>();
  private readonly answers = new Map<string, Answers>();
  private frames: Subscription | null = null;
  private readonly life = randomUUID();

  constructor(private readonly given: ControlServerOptions) {
    super({ gracefulShutdown: true, gracePeriod: 0 });
  }

  /** NestJS calls this for each `@Handles`. */
  override addHandler(
    pattern: unknown,
    callback: MessageHandler,
    isEventHandler = false,
    extras: Record<string, unknown> = {},
  ): void {
    const contract = extras['contract'] as MessageContract | undefined;
    invariant(contract !== undefined && !isEventHandler, `${String(pattern)} is served without a contract`);
    this.handle(contract, async (request, speaker) => {
      const answer: unknown = await callback(request, speaker);
      return lastValueFrom(this.transformToObservable(answer));
    });
  }

  /** The same by hand. Call before the server starts listening. */
  handle<C extends MessageContract>(contract: C, handler: ControlHandler<C>): void {
    const { cluster, member } = this.given;
    const served = { contract, handler: handler as unknown as ControlHandler<MessageContract> };
    this.served.set(contract.operation, served);
    super.addHandler(
      subjects.ask.to(cluster, member, contract.operation),
      async (payload: unknown, context: NatsContext) => {
        const speaker = speakerOf(context.getSubject());
        return speaker === null ? isStranger(contract) : this.answer(served, payload, speaker);
      },
    );
  }

  override async listen(callback: (error?: unknown, ...optional: unknown[]) => void): Promise<void> {
    const { link, cluster, member } = this.given;
    this.frames = link.subscribe(subjects.ask.to(cluster, member, FRAME_OPERATION), {
      callback: (error, message) => {
        if (error === null) this.take(message);
      },
    });
    await super.listen(callback);
  }

  override async close(): Promise<void> {
    this.frames?.unsubscribe();
    await super.close();
  }

  /** The connection belongs to the process, so closing the server must not close it: subscriptions are dropped by Nest. */
  override createNatsClient(): Promise<unknown> {
    const { link } = this.given;
    return Promise.resolve({
      subscribe: link.subscribe.bind(link),
      status: noStatus,
      close: () => Promise.resolve(),
    });
  }

  private take({ subject, data, reply }: Msg): void {
    const { frames } = this.given.link;
    const parts = readFrame(data);
    if (typeof parts === 'string') return frames.refuse('ask', parts);
    // It says nowhere to answer to, which nats-core has as an empty text: publishing there throws.
    if (reply === undefined || reply === '') return frames.refuse('ask', 'malformed');
    const speaker = speakerOf(subject);
    if (speaker === null) return frames.refuse('ask', 'misattributed');
    if (!this.mayHear(speaker, reply)) return frames.refuse('ask', 'malformed');
    if (parts.length === 0) this.given.link.connection.publish(reply, clockFrame(this.now()));
    for (const part of parts) {
      const call = readCall(part);
      if (call === null) frames.refuse('ask', 'malformed');
      else void this.takeCall(call, speaker, reply);
    }
  }

  /**
   * NATS lets this process answer in all inboxes, and say what is its own: who asks must not have it do either elsewhere than in the
   * asker's inbox. Whoever connects without a prefix of its own has one that no member's begins with.
   */
  private mayHear(speaker: Speaker, reply: string): boolean {
    const { cluster } = this.given;
    if (reply.startsWith(`${inboxPrefix(cluster, speaker)}.`)) return true;
    return reply.startsWith(INBOX) && !reply.startsWith(MEMBERS_INBOX);
  }

  private now(): MemberTime {
    return { life: this.life, ms: performance.now() };
  }

  private isPast({ life, ms }: MemberTime): boolean {
    const now = this.now();
    return life !== now.life || ms < now.ms;
  }

  private async takeCall(call: Call, speaker: Speaker, reply: string): Promise<void> {
    const { id, operation, notAfter } = call;
    const served = this.served.get(operation);
    const envelope =
      served === undefined
        ? isNotServed(operation)
        : notAfter !== null && this.isPast(notAfter)
          ? isLate(operation)
          : await this.answer(served, call.request, speaker);
    const part = answerPart(id, envelope);
    this.put(reply, this.fits(part) ? part : answerPart(id, this.isTooLong(operation)));
  }

  /** What NestJS answers with. */
  override getPublisher(
    message: Parameters<ServerNats['getPublisher']>[0],
    id: string,
    context: NatsContext,
  ): ReturnType<ServerNats['getPublisher']> {
    const publish: (answer: WritePacket<ControlEnvelope>) => void = super.getPublisher(message, id, context);
    const { reply } = message as { readonly reply?: string };
    const speaker = speakerOf(context.getSubject());
    if (speaker === null || (reply !== undefined && reply !== '' && !this.mayHear(speaker, reply))) {
      this.given.link.frames.refuse('ask', speaker === null ? 'misattributed' : 'malformed');
      return () => undefined;
    }
    return (answer: WritePacket<ControlEnvelope>) => {
      if (answer.response === undefined || this.fits(JSON.stringify(answer))) return publish(answer);
      const subject = context.getSubject();
      publish({ ...answer, response: this.isTooLong(subject.slice(subject.lastIndexOf('.') + 1)) });
    };
  }

  private fits(part: string): boolean {
    const { info } = this.given.link.connection;
    const bytesMax = (info?.max_payload ?? Infinity) - AROUND_ANSWER_BYTES;
    return UTF8_BYTES_MAX * part.length <= bytesMax || Buffer.byteLength(part) <= bytesMax;
  }

  /** Contracts bound what they answer: this is a bug, and no reason to end, which publishing it would be. */
  private isTooLong(operation: string): ControlEnvelope {
    const message = `The answer to ${operation} is longer than NATS takes`;
    this.given.onUnexpectedError(operation, new Error(message));
    return isError(new OperationalError('INTERNAL', message));
  }

  private put(reply: string, part: string): void {
    const client = reply.slice(0, reply.lastIndexOf('.'));
    let answers = this.answers.get(client);
    if (answers === undefined) {
      if (this.answers.size === 0) setImmediate(() => this.sendAnswers());
      answers = { reply, parts: [], length: 0 };
      this.answers.set(client, answers);
    }
    answers.parts.push(part);
    answers.length += part.length;
    if (answers.length > FRAME_LENGTH_MAX) this.sendTo(answers);
  }

  private sendAnswers(): void {
    for (const answers of this.answers.values()) this.sendTo(answers);
    this.answers.clear();
  }

  private sendTo(answers: Answers): void {
    const { connection } = this.given.link;
    // Kept while there is no connection: its client may wait for it at another nats-server.
    const frames = connection.isClosed() ? [] : framesOf(answers.parts);
    for (const { data } of frames) this.given.link.connection.publish(answers.reply, data);
    answers.parts = [];
    answers.length = 0;
  }

  private async answer(
    { contract, handler }: Served,
    payload: unknown,
    speaker: Speaker,
  ): Promise<ControlEnvelope> {
    if (!mayAsk(contract, speaker)) return isForbidden(contract, speaker);
    const parsed = contract.request.safeParse(payload);
    if (!parsed.success) return isInvalid(contract, parsed.error.issues);
    try {
      return { kind: 'response', response: await handler(parsed.data, speaker) };
    } catch (error) {
      return isError(this.toOperationalError(contract.operation, error));
    }
  }

  private toOperationalError(operation: string, error: unknown): OperationalError {
    if (error instanceof OperationalError) return error;
    if (error instanceof InvariantError) {
      // A broken invariant ends the process; rethrown outside of NestJS, which would swallow it.
      queueMicrotask(() => {
        throw error;
      });
    }
    this.given.onUnexpectedError(operation, error);
    return new OperationalError('INTERNAL', `The ${operation} request failed inside the service`);
  }
}

const isError = (error: OperationalError): ControlEnvelope => ({ kind: 'error', error: toWireError(error) });

function isForbidden({ operation, askers }: MessageContract, { service, member }: Speaker): ControlEnvelope {
  const detail = `${service} ${member} may not ask for ${operation}: ${askers.join(' and ')} may`;
  return isError(new OperationalError('FORBIDDEN', detail, { service, member, operation }));
}

/** It is subscribed to whoever asks: one of a later version, or, where NATS has no permissions, anybody. */
function isStranger({ operation }: MessageContract): ControlEnvelope {
  return isError(new OperationalError('FORBIDDEN', `No known service asks for ${operation}`, { operation }));
}

/** A request of a few hundred KiB can be wrong in so many places that NATS would not take the answer that names all. */
const ISSUES_NAMED_MAX = 20;

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

function isInvalid({ operation }: MessageContract, all: readonly Issue[]): ControlEnvelope {
  const named = all.slice(0, ISSUES_NAMED_MAX);
  const issues = named.map(({ path, message }) => ({ path: path.join('.'), message }));
  const details = { issues, ...(named.length < all.length && { issuesInAll: all.length }) };
  return isError(new OperationalError('INVALID_ARGUMENT', `The ${operation} request is not valid`, details));
}

/** A client of a later version asks for it. */
function isNotServed(operation: string): ControlEnvelope {
  return isError(new OperationalError('UNAVAILABLE', `Nobody serves ${operation} at present`, { operation }));
}

function isLate(operation: string): ControlEnvelope {
  const detail = `The ${operation} request came when its time was over: nothing was done`;
  return isError(new OperationalError('UNAVAILABLE', detail, { operation }));
}

/** The link follows the connection; NestJS need not, and would log each change again. An end would mean a closed connection. */
export function noStatus(): AsyncIterable<never> {
  return { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => undefined) }) };
}
