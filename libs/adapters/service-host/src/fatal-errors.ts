import { Injectable } from '@nestjs/common';

/** Where a service says that it cannot go on: the process ends, and its supervisor starts it again, unless no start mends it. */
@Injectable()
export class FatalErrors {
  readonly #first = Promise.withResolvers<never>();

  constructor() {
    // Whoever runs the service asks for it later.
    this.#first.promise.catch(() => undefined);
  }

  /** Rejects with the first error. */
  get first(): Promise<never> {
    return this.#first.promise;
  }

  readonly report = (error: unknown): void => {
    this.#first.reject(error);
  };
}
