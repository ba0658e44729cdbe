import { Injectable } from '@nestjs/common';
import { Counter, Gauge, Histogram, Registry } from '@ringleader/observability';

interface ClusterName {
  readonly namespace: string;
  readonly name: string;
}

/** As Prometheus calls the label by which it finds a cluster's pods: alerts hold the two against each other. */
const INSTANCE = 'app_kubernetes_io_instance';

@Injectable()
export class OperatorMetrics {
  readonly #seconds: Histogram;
  readonly #errors: Counter;
  readonly #actions: Counter<'kind'>;
  readonly #expiry: Gauge<'namespace' | 'secret'>;
  readonly #gateways: Gauge<'namespace' | typeof INSTANCE>;
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
    this.#gateways = new Gauge({
      name: 'ringleader_operator_gateways_wanted',
      help: 'Gateways that a cluster is to have, also where nothing of it can be asked.',
      labelNames: ['namespace', INSTANCE],
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

  wantsGateways({ namespace, name }: ClusterName, count: number): void {
    this.#gateways.set({ namespace, [INSTANCE]: name }, count);
  }

  /** Of a cluster that is on its way out, or gone. */
  wantsNoGateways({ namespace, name }: ClusterName): void {
    this.#gateways.remove({ namespace, [INSTANCE]: name });
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
