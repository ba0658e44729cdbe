/**
 * Serves control contracts over NestJS' NATS transport, on the process's own connection. Handlers get parsed requests
 * and return responses; an OperationalError that they throw reaches the caller with its code.
 */
import { ServerNats } from '@nestjs/microservices';
import type { NatsConnection } from '@nats-io/nats-core';
import { OperationalError, toWireError } from '@ringleader/contracts';
import type { MessageContract, RequestOf, ResponseOf } from '@ringleader/contracts';
import { InvariantError } from '@ringleader/primitives';
import type { ControlEnvelope } from './control-envelope.js';

/** Told of every error that a handler did not expect; the caller gets INTERNAL. */
export type UnexpectedErrorListener = (operation: string, error: unknown) => void;

export class ControlServer extends ServerNats {
  constructor(
    private readonly connection: NatsConnection,
    private readonly onUnexpectedError: UnexpectedErrorListener,
  ) {
    super({ gracefulShutdown: true, gracePeriod: 0 });
  }

  /** Call before the NestJS application starts listening. */
  handle<C extends MessageContract>(
    contract: C,
    subject: string,
    handler: (request: RequestOf<C>) => Promise<ResponseOf<C>>,
  ): void {
    this.addHandler(subject, (payload: unknown) => this.answer(contract, payload, handler));
  }

  /** The connection belongs to the process, so closing the server must not close it: subscriptions are dropped by Nest. */
  override createNatsClient(): Promise<unknown> {
    const { connection } = this;
    return Promise.resolve({
      subscribe: connection.subscribe.bind(connection),
      status: connection.status.bind(connection),
      close: () => Promise.resolve(),
    });
  }

  private async answer<C extends MessageContract>(
    contract: C,
    payload: unknown,
    handler: (request: RequestOf<C>) => Promise<ResponseOf<C>>,
  ): Promise<ControlEnvelope> {
    const parsed = contract.request.safeParse(payload);
    if (!parsed.success) {
      const issues = parsed.error.issues.map(({ path, message }) => ({ path: path.join('.'), message }));
      const error = new OperationalError(
        'INVALID_ARGUMENT',
        `The ${contract.operation} request is not valid`,
        {
          issues,
        },
      );
      return { kind: 'error', error: toWireError(error) };
    }
    try {
      return { kind: 'response', response: await handler(parsed.data as RequestOf<C>) };
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
    this.onUnexpectedError(operation, error);
    return new OperationalError('INTERNAL', `The ${operation} request failed inside the service`);
  }
}
