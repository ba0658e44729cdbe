/** The replicated state machine of the simulation: strings by key, which only grow. */
import type { ClientOperation } from './sim-messages.js';

type Append = Extract<ClientOperation, { op: 'append' }>;

/** What an entry carries: the operation, and by which run of which member it was proposed. */
export interface Command {
  readonly proposer: string;
  readonly id: number;
  readonly operation: Append;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function encodeCommand(command: Command): Uint8Array {
  return encoder.encode(JSON.stringify(command));
}

export function decodeCommand(data: Uint8Array): Command {
  return JSON.parse(decoder.decode(data)) as Command;
}

export class StringStore {
  #values = new Map<string, string>();

  get(key: string): string {
    return this.#values.get(key) ?? '';
  }

  apply({ key, value }: Append): void {
    this.#values.set(key, this.get(key) + value);
  }

  snapshot(chunkBytes: number): Uint8Array[] {
    const bytes = encoder.encode(JSON.stringify([...this.#values]));
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += chunkBytes) chunks.push(bytes.subarray(at, at + chunkBytes));
    return chunks;
  }

  restore(chunks: readonly Uint8Array[]): void {
    const text = chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join('') + decoder.decode();
    this.#values = new Map(JSON.parse(text) as [string, string][]);
  }

  /** Equal for equal states. */
  fingerprint(): string {
    return JSON.stringify([...this.#values].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}
