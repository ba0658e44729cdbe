/**
 * Calls control contracts over NestJS' NATS transport, on the process's own connection, with a deadline for each call.
 */
import { ClientNats } from '@nestjs/microservices';
import { DEADLINE_MS, OperationalError, fromWireError } from '@ringleader/contracts';
import type { MessageContract, RequestOf, ResponseOf } from '@ringleader/contracts';
import { EmptyError, Subject, TimeoutError, firstValueFrom, takeUntil, timeout } from 'rxjs';
import { isControlEnvelope } from './control-envelope.js';
import { noStatus } from './control-server.js';
import type { NatsLink } from './nats-link.js';

export type ControlOutcome<Response> =
  | { readonly kind: 'answered'; readonly response: Response }
  /**
   * UNAVAILABLE: the request did not reach anyone. DEADLINE_EXCEEDED: no answer came in time, the request may have been
   * carried out. Any other code is the service's own.
   */
  | { readonly kind: 'failed'; readonly error: OperationalError };

class SharedConnectionClient extends ClientNats {
  constructor(private readonly link: NatsLink) {
    super(link.inboxPrefix === undefined ? {} : { inboxPrefix: link.inboxPrefix });
  }

  override createClient(): Promise<Record<string, unknown>> {
    const { connection } = this.link;
    return Promise.resolve({
      subscribe: connection.subscribe.bind(connection),
      publish: connection.publish.bind(connection),
      status: noStatus,
      close: () => Promise.resolve(),
    });
  }
}

export class ControlClient {
  private readonly client: SharedConnectionClient;
  /** What was asked through a connection that broke may be lost, and so may its answer: nobody waits for it any more. */
  private readonly lost = new Subject<void>();
  private readonly unlisten: () => void;

  constructor(private readonly link: NatsLink) {
    this.client = new SharedConnectionClient(link);
    this.unlisten = link.onChange((isConnected) => {
      if (!isConnected) this.lost.next();
    });
  }

  /** `timeoutMs` absent: the contract's deadline class decides. */
  async call<C extends MessageContract>(
    contract: C,
    subject: string,
    request: RequestOf<C>,
    timeoutMs: number = DEADLINE_MS[contract.deadline],
  ): Promise<ControlOutcome<ResponseOf<C>>> {
    if (!this.link.isConnected) return { kind: 'failed', error: nobodyServes(contract.operation) };
    let reply: unknown;
    try {
      const replies = this.client.send<unknown>(subject, request);
      reply = await firstValueFrom(replies.pipe(timeout(timeoutMs), takeUntil(this.lost)));
    } catch (cause) {
      return { kind: 'failed', error: transportError(contract.operation, timeoutMs, cause) };
    }
    return readReply(contract, reply);
  }

  /** Calls that wait for an answer end at once, with DEADLINE_EXCEEDED. */
  async close(): Promise<void> {
    this.unlisten();
    this.lost.next();
    await this.client.close();
  }
}

/** A peer of another version, or a bug: the issues say where the two disagree. */
function readReply<C extends MessageContract>(contract: C, reply: unknown): ControlOutcome<ResponseOf<C>> {
  if (isControlEnvelope(reply)) {
    if (reply.kind === 'error') {
      const error = fromWireError(reply.error);
      if (error !== null) return { kind: 'failed', error };
    } else {
      const parsed = contract.response.safeParse(reply.response);
      if (parsed.success) return { kind: 'answered', response: parsed.data as ResponseOf<C> };
    }
  }
  const error = new OperationalError(
    'INTERNAL',
    `The answer to ${contract.operation} does not fit its contract`,
  );
  return { kind: 'failed', error };
}

function transportError(operation: string, timeoutMs: number, cause: unknown): OperationalError {
  if (cause instanceof TimeoutError) {
    return new OperationalError(
      'DEADLINE_EXCEEDED',
      `No answer to ${operation} within ${timeoutMs} ms`,
      { operation, timeoutMs },
      { cause },
    );
  }
  if (cause instanceof EmptyError) {
    return new OperationalError(
      'DEADLINE_EXCEEDED',
      `The connection to NATS ended while ${operation} was waited for`,
      { operation },
      { cause },
    );
  }
  return nobodyServes(operation, cause);
}

function nobodyServes(operation: string, cause?: unknown): OperationalError {
  return new OperationalError(
    'UNAVAILABLE',
    `Nobody serves ${operation} at present`,
    { operation },
    { cause },
  );
}
