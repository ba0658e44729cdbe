import { Injectable } from '@nestjs/common';
import { Counter, Gauge, Histogram, Registry } from '@ringleader/observability';

@Injectable()
export class OperatorMetrics {
  readonly #seconds: Histogram;
  readonly #errors: Counter;
  readonly #actions: Counter<'kind'>;
  readonly #expiry: Gauge<'namespace' | 'secret'>;
  readonly #isLeader: Gauge;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#seconds = new Histogram({
      name: 'ringleader_operator_reconcile_seconds',
      help: 'How long a look at a cluster took, with what was done about it.',
      buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60],
      registers,
    });
    this.#errors = new Counter({
      name: 'ringleader_operator_reconcile_errors_total',
      help: 'Looks at a cluster that failed.',
      registers,
    });
    this.#actions = new Counter({
      name: 'ringleader_operator_actions_total',
      help: 'What was done, by kind.',
      labelNames: ['kind'],
      registers,
    });
    this.#expiry = new Gauge({
      name: 'ringleader_operator_certificate_expiry_seconds',
      help: 'When the certificate in a Secret ends, in seconds since 1970.',
      labelNames: ['namespace', 'secret'],
      registers,
    });
    this.#isLeader = new Gauge({
      name: 'ringleader_operator_is_leader',
      help: '1 in the process that acts, 0 in those that wait.',
      registers,
    });
  }

  reconciled(seconds: number): void {
    this.#seconds.observe(seconds);
  }

  failed(): void {
    this.#errors.inc();
  }

  did(kind: string): void {
    this.#actions.inc({ kind });
  }

  leads(isLeader: boolean): void {
    this.#isLeader.set(isLeader ? 1 : 0);
  }

  /** Of certificates that nobody shows any more. */
  forget(namespace: string, secrets: readonly string[]): void {
    for (const secret of secrets) this.#expiry.remove({ namespace, secret });
  }

  expires(namespace: string, expiresAtMs: Readonly<Record<string, number>>): void {
    for (const [secret, atMs] of Object.entries(expiresAtMs))
      this.#expiry.set({ namespace, secret }, Math.floor(atMs / 1_000));
  }
}
