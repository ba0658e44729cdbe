import { describe, expect, it } from '@jest/globals';
import { encodeCommand } from '@ringleader/mvcc';
import { StoreStateMachine } from './store-state-machine.js';

describe('StoreStateMachine', () => {
  it('gives its whole state to another in pieces', async () => {
    const machine = new StoreStateMachine();
    for (let index = 1; index <= 6; index++) {
      const value = new Uint8Array(200_000).fill(index);
      const put = { kind: 'put', key: `k${index}`, value, lease: 0, wantsPrevious: false } as const;
      const command = encodeCommand({ kind: 'txn', compare: [], success: [put], failure: [] });
      machine.apply({ index, term: 1, command });
    }
    const chunks = [...machine.snapshot()];
    expect(Math.max(...chunks.map(({ length }) => length))).toBeLessThan(1_300_000);
    const restored = new StoreStateMachine();
    const heard: unknown[] = [];
    restored.onChange((result) => heard.push(result));
    await restored.restore(ReadableStream.from(chunks));
    expect(heard).toEqual([null]);
    expect(Buffer.concat([...restored.snapshot()]).equals(Buffer.concat(chunks))).toBe(true);
  });
});
