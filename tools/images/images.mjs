/** `npm run images`, once everything is installed and built. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Failure, reportingFailures } from '../bootstrap/failure.mjs';
import { root, runShown, seconds } from '../bootstrap/prepare.mjs';
import { load } from './nodes.mjs';
import { parseImages } from './options.mjs';
import { stageImage } from './stage.mjs';

const STAGE = join(root, '.tools/image');

async function ask(command, ...args) {
  const { stdout } = await promisify(execFile)(command, args, { cwd: root });
  return stdout.trim();
}

/** What the image says of where it comes from; a copy without history says so. */
async function origin() {
  const unknown = { revision: 'unknown', created: 'unknown' };
  return ask('git', 'log', '-1', '--format=%H %cI').then(
    (line) => {
      const [revision, created] = line.split(' ');
      return { revision, created };
    },
    () => unknown,
  );
}

async function build({ name, tag, base }) {
  const architecture = await ask('docker', 'version', '--format', '{{.Server.Arch}}').catch(() => {
    throw new Failure('docker does not answer: the image is built with it.');
  });
  const startedAt = performance.now();
  await stageImage(STAGE, architecture);
  console.error(`✓ laid out (${seconds(startedAt)})`);
  const { revision, created } = await origin();
  const values = { BASE_IMAGE: base, VERSION: tag, REVISION: revision, CREATED: created };
  const flags = Object.entries(values).flatMap(([key, value]) => ['--build-arg', `${key}=${value}`]);
  const dockerfile = join(root, 'k8s/images/Dockerfile');
  await runShown('docker', ['build', '--quiet', '--file', dockerfile, '--tag', name, ...flags, STAGE]);
  const bytes = Number(await ask('docker', 'image', 'inspect', '--format', '{{.Size}}', name));
  console.log(`✓ ${name}: ${Math.round(bytes / 1_048_576)} MiB (${seconds(startedAt)})`);
}

await reportingFailures('The image could not be made', async () => {
  process.umask(0o022);
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const options = parseImages(process.argv.slice(2), version);
  await build(options);
  const { name, push, kindCluster } = options;
  if (kindCluster !== undefined) await load([name], kindCluster);
  if (push) await runShown('docker', ['push', name]);
  return 0;
});
