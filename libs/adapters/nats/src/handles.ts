/**
 * `@Handles(contract)` on a method of a Nest controller: it serves the contract, and does not compile with another shape.
 * The method gets the parsed request, and who asks; what it throws reaches the caller (an OperationalError) or the log.
 */
import { Catch, UseFilters } from '@nestjs/common';
import type { RpcExceptionFilter } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import type { MessageContract, RequestOf, ResponseOf, Speaker } from '@ringleader/contracts';
import { throwError } from 'rxjs';
import type { Observable } from 'rxjs';

export type ControlHandler<C extends MessageContract> = (
  request: RequestOf<C>,
  speaker: Speaker,
) => ResponseOf<C> | Promise<ResponseOf<C>>;

/** NestJS would make "Internal server error" of every exception; the transport knows better. */
@Catch()
class PassedOn implements RpcExceptionFilter {
  catch(exception: unknown): Observable<never> {
    return throwError(() => exception);
  }
}

export function Handles<C extends MessageContract>(
  contract: C,
): <Handler extends ControlHandler<C>>(
  target: object,
  name: string | symbol,
  descriptor: TypedPropertyDescriptor<Handler>,
) => void {
  return (target, name, descriptor) => {
    MessagePattern(contract.operation, { contract })(target, name, descriptor);
    UseFilters(new PassedOn())(target, name, descriptor);
    Payload()(target, name, 0);
    Ctx()(target, name, 1);
  };
}
