import { describe, expect, it } from '@jest/globals';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EXIT } from './failure.js';
import { standardInput } from './standard-input.js';

describe('standardInput', () => {
  const having = (path: string, then: (descriptor: number) => void): void => {
    const descriptor = openSync(path, 'r');
    try {
      then(descriptor);
    } finally {
      closeSync(descriptor);
    }
  };

  it('takes no folder for an input that is empty, but an empty file', () => {
    const dir = mkdtempSync(join(tmpdir(), 'ringleader-stdin-'));
    try {
      having(dir, (descriptor) => {
        expect(() => standardInput(descriptor)).toThrow(
          expect.objectContaining({ exitCode: EXIT.usage, message: 'Standard input is a folder.' }),
        );
      });
      writeFileSync(join(dir, 'empty'), '');
      having(join(dir, 'empty'), (descriptor) => {
        expect(standardInput(descriptor)).toBe(process.stdin);
      });
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
