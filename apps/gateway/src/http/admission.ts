/**
 * How much may be under way at once. Refusing early keeps the gateway's memory flat and its answers honest: a request
 * that waits for ever in a queue is worse than one that may be repeated elsewhere. Pure bookkeeping.
 */
import { OperationalError } from '@ringleader/contracts';

export interface AdmissionLimits {
  readonly requestsMax: number;
  readonly bytesMax: number;
  /** Of one client address, so that one client cannot take all there is. */
  readonly clientRequestsMax: number;
}

export interface Admitted {
  readonly client: string;
  readonly bytes: number;
}

export class Admission {
  private requests = 0;
  private bytes = 0;
  private total = 0;
  private readonly perClient = new Map<string, number>();

  constructor(private readonly limits: AdmissionLimits) {}

  get inFlight(): number {
    return this.requests;
  }

  get requestsTotal(): number {
    return this.total;
  }

  /** Null when admitted: `leave` must follow. */
  enter({ client, bytes }: Admitted): OperationalError | null {
    const { requestsMax, bytesMax, clientRequestsMax } = this.limits;
    this.total += 1;
    const ofClient = this.perClient.get(client) ?? 0;
    if (ofClient >= clientRequestsMax) {
      const detail = `One client address may have ${clientRequestsMax} requests under way at once`;
      return new OperationalError('RATE_LIMITED', detail, { requestsMax: clientRequestsMax });
    }
    if (this.requests >= requestsMax || this.bytes + bytes > bytesMax) {
      return new OperationalError('OVERLOADED', 'This gateway has too much under way; nothing was done');
    }
    this.requests += 1;
    this.bytes += bytes;
    this.perClient.set(client, ofClient + 1);
    return null;
  }

  leave({ client, bytes }: Admitted): void {
    this.requests -= 1;
    this.bytes -= bytes;
    const ofClient = (this.perClient.get(client) ?? 1) - 1;
    if (ofClient === 0) this.perClient.delete(client);
    else this.perClient.set(client, ofClient);
  }
}
