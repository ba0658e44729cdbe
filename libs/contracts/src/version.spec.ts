import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { RINGLEADER_VERSION } from './version.js';

describe('RINGLEADER_VERSION', () => {
  it('is that of the workspace', () => {
    const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(RINGLEADER_VERSION).toBe(manifest.version);
  });
});
