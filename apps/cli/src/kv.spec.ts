import { describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { REST_LIMITS } from '@ringleader/contracts';
import { EXIT } from './failure.js';
import { program } from './program.js';

describe('ringleader put', () => {
  it('reads no more than a value may have', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'ringleader-put-'));
    const file = join(dir, 'large');
    await writeFile(file, Buffer.alloc(REST_LIMITS.valueBytesMax + 1));
    const gateway = ['--gateway', 'http://127.0.0.1:1'];
    const put = (value: string): Promise<unknown> =>
      program().parseAsync(['node', 'ringleader', 'put', 'key', value, ...gateway]);
    const refused = { code: 'REQUEST_TOO_LARGE', exitCode: EXIT.usage };
    await expect(put(`@${file}`)).rejects.toMatchObject(refused);
    await expect(put('@/dev/zero')).rejects.toMatchObject(refused);
    await writeFile(file, Buffer.alloc(REST_LIMITS.valueBytesMax));
    await expect(put(`@${file}`)).rejects.toMatchObject({ exitCode: EXIT.nothingDone });
    await expect(put(`@${dir}`)).rejects.toMatchObject({ exitCode: EXIT.usage });
    await rm(dir, { recursive: true });
  });
});
