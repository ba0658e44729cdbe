import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

describe('the rule against import cycles', () => {
  let folder = '';

  beforeEach(() => {
    folder = mkdtempSync(join(ROOT, 'tools/lint/import-cycles-'));
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function complaintAbout(files: Readonly<Record<string, string>>): string {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const { stdout } = spawnSync(
      process.execPath,
      [
        'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs',
        ...['--config', 'tools/lint/import-cycles.mjs', folder.slice(ROOT.length)],
      ],
      { cwd: ROOT, encoding: 'utf8' },
    );
    return stdout;
  }

  it('finds two files that import each other only for types', () => {
    const files = {
      'a.ts': "import type { B } from './b.js';\nexport type A = B | null;\n",
      'b.ts': "import type { A } from './a.js';\nexport type B = A | null;\n",
    };
    expect(complaintAbout(files)).toContain('no-import-cycles');
  });

  it('allows what has no circle', () => {
    const files = {
      'a.ts': "import type { B } from './b.js';\nexport type A = B | null;\n",
      'b.ts': 'export type B = string;\n',
    };
    expect(complaintAbout(files)).toContain('no dependency violations found');
  });
});
