/**
 * What Kubernetes' three probes ask of a process. Live: its event loop turns, which any answer proves. Started: what it
 * does once, such as opening its log, is done. Ready: another process of the cluster may be disturbed, because this one
 * stands; no traffic depends on it.
 */
import { Injectable } from '@nestjs/common';

/** Empty when all is well; otherwise one sentence for each reason why not. */
export type Reasons = () => readonly string[];

@Injectable()
export class Health {
  readonly #readiness: Reasons[] = [];
  readonly #drainListeners: (() => void)[] = [];
  #isDraining = false;

  /** `notStarted` is why the process has not started, until `started` is called; null when it has from the beginning. */
  constructor(private notStarted: string | null = null) {}

  started(): void {
    this.notStarted = null;
  }

  readyWhen(reasons: Reasons): void {
    this.#readiness.push(reasons);
  }

  /** From now on it is not ready, whatever the reasons say. */
  drain(): void {
    this.#isDraining = true;
    for (const listener of this.#drainListeners) listener();
  }

  onDrain(listener: () => void): void {
    this.#drainListeners.push(listener);
  }

  /** Why it has not started. */
  startup(): readonly string[] {
    return this.notStarted === null ? [] : [this.notStarted];
  }

  /** Why it is not ready. */
  readiness(): readonly string[] {
    if (this.#isDraining) return ['the process is stopping'];
    return [...this.startup(), ...this.#readiness.flatMap((reasons) => reasons())];
  }
}
