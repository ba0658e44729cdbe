import { createHash } from 'node:crypto';
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ServerProcessError } from './server-process-error.js';

const run = promisify(execFile);

export interface NatsRelease {
  readonly version: string;
  readonly baseUrl: string;
  /** SHA-256 of the archive, by `platform-architecture`. */
  readonly checksums: Readonly<Record<string, string>>;
}

/** Checksums as published in the release's SHA256SUMS (taken from cashapp/hermit-packages, which mirrors that file). */
export const OFFICIAL_NATS_RELEASE: NatsRelease = {
  version: '2.10.26',
  baseUrl: 'https://github.com/nats-io/nats-server/releases/download',
  checksums: {
    'linux-amd64': '6cbac67107e69c9e5a352d6f1555027f9da6a6b3fa81cceafefa9598b4451512',
    'linux-arm64': 'aba1b169f18d4441b4b5d760805c562dccc57b425a7a213a82753a2269a27235',
    'darwin-amd64': 'c90e94a1a9537304ab59f9056baca6a3138d17c13d7fe218ccbbd24ca08ee8e9',
    'darwin-arm64': 'b1e2fd61507703ee81b0b2c1c35894beeebf908ddc7a4a5b7928aca438f716e6',
  },
};

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

async function download(url: string): Promise<Buffer> {
  const response = await fetch(url, { signal: AbortSignal.timeout(120_000) }).catch((error: unknown) => {
    throw new ServerProcessError(`nats-server could not be downloaded from ${url}.`, { cause: error });
  });
  if (!response.ok)
    throw new ServerProcessError(`nats-server could not be downloaded: ${url} answered ${response.status}.`);
  return Buffer.from(await response.arrayBuffer());
}

/** Downloads the release's archive into `folder`, checks it, unpacks it; gives the program's path. */
export async function unpackNatsRelease(
  folder: string,
  release: NatsRelease = OFFICIAL_NATS_RELEASE,
  platform = `${process.platform}-${ARCHITECTURES[process.arch] ?? process.arch}`,
): Promise<string> {
  const expected = release.checksums[platform];
  if (expected === undefined) {
    throw new ServerProcessError(
      `There is no pinned release of nats-server for ${platform}: install it and put it on PATH.`,
    );
  }
  const name = `nats-server-v${release.version}-${platform}`;
  const archive = await download(`${release.baseUrl}/v${release.version}/${name}.tar.gz`);
  const actual = createHash('sha256').update(archive).digest('hex');
  if (actual !== expected) {
    throw new ServerProcessError(
      `The downloaded ${name}.tar.gz has the checksum ${actual}, not ${expected}: it was not used.`,
    );
  }
  await mkdir(folder, { recursive: true });
  const file = join(folder, `${name}.tar.gz`);
  await writeFile(file, archive);
  await run('tar', ['-xzf', file, '-C', folder, '--strip-components=1']);
  return join(folder, 'nats-server');
}
