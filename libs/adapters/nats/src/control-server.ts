/**
 * Serves control contracts over NestJS' NATS transport, on the process's own connection: the strategy of a Nest
 * microservice whose controllers use `@Handles(contract)`. It puts this member's prefix on the subjects, takes the speaker
 * from them, and hands parsed requests on; an OperationalError that a handler throws reaches the caller with its code.
 */
import { ServerNats } from '@nestjs/microservices';
import type { MessageHandler, NatsContext } from '@nestjs/microservices';
import { OperationalError, speakerOf, subjects, toWireError } from '@ringleader/contracts';
import type { MessageContract, RequestOf } from '@ringleader/contracts';
import { InvariantError, invariant } from '@ringleader/primitives';
import { lastValueFrom } from 'rxjs';
import type { ControlEnvelope } from './control-envelope.js';
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

export class ControlServer extends ServerNats {
  constructor(private readonly served: ControlServerOptions) {
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
    const { cluster, member } = this.served;
    super.addHandler(
      subjects.ask.to(cluster, member, contract.operation),
      (payload: unknown, context: NatsContext) =>
        this.answer(contract, payload, context.getSubject(), handler),
    );
  }

  /** The connection belongs to the process, so closing the server must not close it: subscriptions are dropped by Nest. */
  override createNatsClient(): Promise<unknown> {
    const { connection } = this.served.link;
    return Promise.resolve({
      subscribe: connection.subscribe.bind(connection),
      status: noStatus,
      close: () => Promise.resolve(),
    });
  }

  private async answer<C extends MessageContract>(
    contract: C,
    payload: unknown,
    subject: string,
    handler: ControlHandler<C>,
  ): Promise<ControlEnvelope> {
    const speaker = speakerOf(subject);
    invariant(speaker !== null, 'what is subscribed to begins with a speaker');
    const parsed = contract.request.safeParse(payload);
    if (!parsed.success) {
      const issues = parsed.error.issues.map(({ path, message }) => ({ path: path.join('.'), message }));
      const error = new OperationalError(
        'INVALID_ARGUMENT',
        `The ${contract.operation} request is not valid`,
        { issues },
      );
      return { kind: 'error', error: toWireError(error) };
    }
    try {
      return { kind: 'response', response: await handler(parsed.data as RequestOf<C>, speaker) };
    } catch (error) {
      return { kind: 'error', error: toWireError(this.toOperationalError(contract.operation, error)) };
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
    this.served.onUnexpectedError(operation, error);
    return new OperationalError('INTERNAL', `The ${operation} request failed inside the service`);
  }
}

/** The link follows the connection; NestJS need not, and would log each change again. An end would mean a closed connection. */
export function noStatus(): AsyncIterable<never> {
  return { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => undefined) }) };
}
