/** Processes for which a disk, or their descriptors, are full. */
import { describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';

const MODULE = new URL('../dist/index.js', import.meta.url).href;
const TEST_MS = 30_000;
const ENDED = { timeout: 100_000, killSignal: 'SIGKILL' } as const;

const CRASHES = `
const { createLogger } = await import(process.argv[1]);
const logger = createLogger({ level: 'info', service: 'shard', member: 'shard-1' });
logger.info('Started');
logger.fatal('Crashed');
process.exit(7);
`;

const READS_ITS_LOAD = `
const { openSync } = await import('node:fs');
const { LoadMeter } = await import(process.argv[1]);
const meter = new LoadMeter({ inFlight: () => 0, requestsTotal: () => 0 });
const before = meter.read(0).memoryBytes;
try {
  for (;;) openSync('/dev/null');
} catch (error) {
  if (error.code !== 'EMFILE') throw error;
}
process.exit(meter.read(0).memoryBytes === before ? 7 : 1);
`;

describe('a process', () => {
  it(
    'ends that cannot write its log',
    async () => {
      const full = openSync('/dev/full', 'w');
      try {
        const args = ['--no-warnings', '--input-type=module', '--eval', CRASHES, MODULE];
        const child = spawn(process.execPath, args, { ...ENDED, stdio: ['ignore', full, 'inherit'] });
        expect(await once(child, 'exit')).toEqual([7, null]);
      } finally {
        closeSync(full);
      }
    },
    TEST_MS,
  );

  it(
    'tells of its load that has no descriptor left',
    async () => {
      const command = 'ulimit -n 64; exec "$0" --no-warnings --input-type=module --eval "$1" "$2"';
      const args = ['-c', command, process.execPath, READS_ITS_LOAD, MODULE];
      const child = spawn('sh', args, { ...ENDED, stdio: ['ignore', 'ignore', 'inherit'] });
      expect(await once(child, 'exit')).toEqual([7, null]);
    },
    TEST_MS,
  );
});
