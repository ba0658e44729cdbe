import { OperationalError } from '@ringleader/contracts';
import type { CoordinationClient } from '@ringleader/coordination';
import { seededPrng } from '@ringleader/primitives';
import type { CasRegisterInput, CasRegisterOutput, Operation } from '@ringleader/testing-linearizability';

type Input = CasRegisterInput<string>;
type Output = CasRegisterOutput<string>;

const KEY = 'register';
export const INITIAL_VALUE = '';

/** Each worker reads, writes and compares-and-sets one register through one member, and records what it was told. */
export class RegisterWorkers {
  readonly history: Operation<Input, Output>[] = [];
  #isStopped = false;
  #lastValue = 0;
  #workers: Promise<void>[] = [];

  start(clients: readonly CoordinationClient[]): void {
    this.#workers = clients.map((client, worker) => this.#run(client, worker));
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#workers);
  }

  get answered(): number {
    return this.history.filter(({ outcome }) => outcome.kind === 'ok').length;
  }

  async #run(client: CoordinationClient, worker: number): Promise<void> {
    const prng = seededPrng(worker);
    let seen = INITIAL_VALUE;
    while (!this.#isStopped) {
      const input = this.#choose(prng.nextBelow(10), seen);
      const invokedAt = performance.now();
      const outcome = await attempt(client, input);
      const returnedAt = performance.now();
      if (outcome !== null) this.history.push({ process: worker, input, outcome, invokedAt, returnedAt });
      if (outcome?.kind === 'ok' && outcome.output.kind === 'value') seen = outcome.output.value;
    }
  }

  #choose(draw: number, expected: string): Input {
    if (draw < 4) return { op: 'read' };
    this.#lastValue += 1;
    const value = String(this.#lastValue);
    return draw < 7 ? { op: 'write', value } : { op: 'cas', expected, value };
  }
}

/** Null when it certainly did not happen, or when it only would have read. */
async function attempt(
  client: CoordinationClient,
  input: Input,
): Promise<Operation<Input, Output>['outcome'] | null> {
  try {
    return { kind: 'ok', output: await carryOut(client, input) };
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    return error.code === 'OUTCOME_UNKNOWN' && input.op !== 'read' ? { kind: 'unknown' } : null;
  }
}

async function carryOut(client: CoordinationClient, input: Input): Promise<Output> {
  if (input.op === 'read') {
    const { items } = await client.range({ key: KEY });
    return { kind: 'value', value: items[0]?.value ?? INITIAL_VALUE };
  }
  const success = [{ kind: 'put' as const, key: KEY, value: input.value }];
  if (input.op === 'write') {
    await client.txn({ compare: [], success, failure: [] });
    return { kind: 'done' };
  }
  const isInitial = input.expected === INITIAL_VALUE;
  const { succeeded } = await client.txn({
    compare: [
      isInitial
        ? { key: KEY, target: 'version', result: 'equal', operand: 0 }
        : { key: KEY, target: 'value', result: 'equal', operand: input.expected },
    ],
    success,
    failure: [],
  });
  return { kind: succeeded ? 'done' : 'differed' };
}
