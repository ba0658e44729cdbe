/** The image: each service starts as nobody in particular on a file system that it cannot write to, and ends at TERM. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from '@jest/globals';
import { until } from '@ringleader/testing-servers';
import { environment } from '../harness/environment.js';

const PROBES = '9090';
const LIMIT_MS = 180_000;
/** What a service cannot begin without; what it needs is not there, so it waits. */
const SETTINGS: Readonly<Record<string, readonly string[]>> = {
  coordinator: [
    'RINGLEADER_COORDINATOR_ID=1',
    'RINGLEADER_DATA_DIR=/tmp/data',
    'RINGLEADER_BOOTSTRAP=new-cluster',
  ],
  shard: ['RINGLEADER_POSTGRES_URL=postgres:///ringleader?host=/tmp'],
  gateway: [],
  'failure-detector': [],
};

const docker = async (...args: readonly string[]): Promise<string> =>
  (await promisify(execFile)('docker', args)).stdout.trim();

const isHere = (image: string): Promise<boolean> =>
  docker('image', 'inspect', image).then(
    () => true,
    () => false,
  );

describe('the image', () => {
  let container = '';
  afterEach(async () => {
    if (container !== '') await docker('rm', '--force', container);
    container = '';
  });

  const start = async (service: string): Promise<void> => {
    const settings = [
      ...['RINGLEADER_MEMBER=member-1', 'RINGLEADER_NATS_URL=nats://127.0.0.1:4222'],
      ...[`RINGLEADER_PROBE_PORT=${PROBES}`, ...(SETTINGS[service] ?? [])],
    ].flatMap((setting) => ['--env', setting]);
    const limits = ['--read-only', '--tmpfs', '/tmp:mode=1777', '--cap-drop', 'ALL', '--network', 'none'];
    const command = ['/ringleader/bin/ringleader-service', service];
    container = await docker('run', '--detach', ...limits, ...settings, environment.image, ...command);
  };

  const inside = (code: string): Promise<string> =>
    docker('exec', container, '/ringleader/bin/node', '--eval', code);

  it.each(Object.keys(SETTINGS))(
    'runs a %s without any right, and ends it at TERM',
    async (service) => {
      if (!(await isHere(environment.image))) {
        process.stdout.write(`not tried: docker has no image ${environment.image}\n`);
        return;
      }
      await start(service);
      const lives = (): Promise<boolean> =>
        inside(`fetch('http://127.0.0.1:${PROBES}/livez').then(({ ok }) => console.log(ok))`).then(
          (said) => said === 'true',
          () => false,
        );
      await until(`${service} lives`, lives, { timeoutMs: 60_000, everyMs: 200 });
      expect(
        await inside("console.log(require('node:fs').readlinkSync('/proc/1/exe'), process.getuid())"),
      ).toMatch(/\/node 65532$/);
      await docker('stop', '--time', '60', container);
      expect(await docker('inspect', '--format', '{{.State.ExitCode}}', container)).toBe('0');
    },
    LIMIT_MS,
  );

  it(
    'has the command line, and neither sources nor tests nor npm',
    async () => {
      if (!(await isHere(environment.image))) return;
      const run = (...command: readonly string[]): Promise<string> =>
        docker('run', '--rm', '--read-only', '--network', 'none', environment.image, ...command);
      expect(await run('/ringleader/bin/ringleader', '--version')).toMatch(/^\d+\.\d+\.\d+/);
      const find =
        'find /ringleader/apps /ringleader/libs -path "*/node_modules" -prune -o -name "*.ts" -print';
      expect(await run('sh', '-c', `${find}; find / -xdev -maxdepth 6 -name npm 2>/dev/null || true`)).toBe(
        '',
      );
    },
    LIMIT_MS,
  );
});
