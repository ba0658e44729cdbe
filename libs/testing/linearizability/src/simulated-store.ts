/** Histories of a store that is correct by construction: each operation takes effect at one instant of its span. */
import type { Prng } from '@ringleader/primitives';
import type { HistoryEvent, KvConditions, KvInput, KvOutput } from './index.js';

export type KvEvent = HistoryEvent<KvInput, KvOutput>;

export interface SimulatedLoad {
  readonly prng: Prng;
  readonly operations: number;
  readonly processes: number;
  readonly keys: number;
  /** Of 100 operations, how many end without an answer; of those, about half take effect, some of them much later. */
  readonly unknownPercent: number;
}

interface Row {
  value: string;
  version: number;
  revision: number;
}

interface InFlight {
  readonly process: number;
  readonly input: KvInput;
  readonly answered: boolean;
  output: KvOutput | undefined;
}

class Store {
  readonly #rows = new Map<string, Row>();
  #revision = 0;

  apply(input: KvInput): KvOutput {
    const row = this.#rows.get(input.key);
    const { revision = 0, version = 0 } = row ?? {};
    if (input.op === 'get') return row === undefined ? { kind: 'absent' } : { kind: 'row', ...row };
    if (!holds(input.conditions ?? {}, revision, version))
      return { kind: 'conditionFailed', revision, version };
    if (input.op === 'delete' && row === undefined) return { kind: 'absent' };
    this.#revision += 1;
    if (input.op === 'delete') {
      this.#rows.delete(input.key);
      return { kind: 'written', revision: this.#revision };
    }
    const written = { revision: this.#revision, version: version + 1 };
    this.#rows.set(input.key, { value: input.value, ...written });
    return { kind: 'written', ...written, created: row === undefined };
  }
}

function holds(conditions: KvConditions, revision: number, version: number): boolean {
  if (conditions.ifRevision !== undefined && conditions.ifRevision !== revision) return false;
  if (conditions.ifVersion !== undefined && conditions.ifVersion !== version) return false;
  return !(conditions.ifAbsent && version > 0) && !(conditions.ifPresent && version === 0);
}

function randomConditions(prng: Prng): KvConditions {
  switch (prng.nextBelow(8)) {
    case 0:
      return { ifAbsent: true };
    case 1:
      return { ifPresent: true };
    case 2:
      return { ifVersion: prng.nextBelow(4) };
    case 3:
      return { ifRevision: prng.nextBelow(6) };
    default:
      return {};
  }
}

function randomInput(prng: Prng, keys: number, serial: number): KvInput {
  const key = `k${prng.nextBelow(keys)}`;
  const kind = prng.nextBelow(10);
  if (kind < 4) return { op: 'get', key };
  const conditions = randomConditions(prng);
  return kind < 9 ? { op: 'put', key, value: `v${serial}`, conditions } : { op: 'delete', key, conditions };
}

export function simulateStore({
  prng,
  operations,
  processes,
  keys,
  unknownPercent,
}: SimulatedLoad): KvEvent[] {
  const store = new Store();
  const events: KvEvent[] = [];
  const inFlight: InFlight[] = [];
  const abandoned: InFlight[] = [];
  let started = 0;
  let nextProcess = 0;
  const start = (): void => {
    const process = nextProcess++;
    const input = randomInput(prng, keys, started++);
    inFlight.push({ process, input, answered: prng.nextBelow(100) >= unknownPercent, output: undefined });
    events.push({ type: 'invoke', process, input });
  };
  const advance = (index: number): void => {
    const operation = inFlight[index]!;
    if (operation.answered && operation.output === undefined) {
      operation.output = store.apply(operation.input);
      return;
    }
    inFlight.splice(index, 1);
    const { process, output } = operation;
    if (output === undefined) {
      events.push({ type: 'info', process });
      abandoned.push(operation);
    } else {
      events.push({ type: 'ok', process, output });
    }
  };
  while (started < operations || inFlight.length > 0) {
    const late = abandoned.length > 0 && prng.nextBelow(20) === 0;
    if (late) {
      const [operation] = abandoned.splice(prng.nextBelow(abandoned.length), 1);
      if (prng.nextBelow(2) === 0) store.apply(operation!.input);
    }
    const mayStart = started < operations && inFlight.length < processes;
    if (mayStart && (inFlight.length === 0 || prng.nextBelow(3) === 0)) start();
    else advance(prng.nextBelow(inFlight.length));
  }
  return events;
}
