import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StartError } from './child.js';
import { locateNatsServer, releaseOf, type NatsRelease } from './nats-program.js';

const PROGRAM = '#!/bin/sh\necho "nats-server: v0.0.1"\n';
const PLATFORM = `${process.platform}-${process.arch}`;
const NAME = `nats-server-v0.0.1-${PLATFORM.replace('x64', 'amd64')}`;

async function writeProgram(path: string): Promise<void> {
  await writeFile(path, PROGRAM);
  await chmod(path, 0o755);
}

function packageMissing(): Promise<string> {
  return Promise.reject(new StartError('No package.'));
}

describe('locateNatsServer', () => {
  let dir: string;
  let server: Server;
  let requests: string[];
  let release: NatsRelease;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'ringleader-nats-'));
    await mkdir(join(dir, NAME));
    await writeProgram(join(dir, NAME, 'nats-server'));
    execFileSync('tar', ['-czf', join(dir, 'archive.tar.gz'), '-C', dir, NAME]);
    const archive = await readFile(join(dir, 'archive.tar.gz'));
    requests = [];
    server = createServer((request, response) => {
      requests.push(request.url ?? '');
      response.statusCode = request.url === `/v0.0.1/${NAME}.tar.gz` ? 200 : 404;
      response.end(archive);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const checksum = createHash('sha256').update(archive).digest('hex');
    release = {
      version: '0.0.1',
      baseUrl: `http://127.0.0.1:${port}`,
      checksums: { [PLATFORM]: checksum },
    };
  });

  afterEach(async () => {
    await new Promise((resolve) => server.close(resolve));
    await rm(dir, { recursive: true, force: true });
  });

  const toolsDir = () => join(dir, 'tools');

  it('takes the one on PATH first', async () => {
    await writeProgram(join(dir, 'nats-server'));
    const found = await locateNatsServer({ searchPath: `/nonexistent:${dir}`, toolsDir: toolsDir() });
    expect(found).toBe(join(dir, 'nats-server'));
  });

  it('unpacks a package once, also for several callers at a time', async () => {
    let unpacked = 0;
    const unpackPackage = async (folder: string) => {
      unpacked += 1;
      await mkdir(join(folder, 'usr/sbin'), { recursive: true });
      await writeProgram(join(folder, 'usr/sbin/nats-server'));
      return join(folder, 'usr/sbin/nats-server');
    };
    const options = { searchPath: '', toolsDir: toolsDir(), sources: [unpackPackage, releaseOf(release)] };
    const found = await Promise.all([1, 2, 3].map(() => locateNatsServer(options)));
    expect(new Set(found)).toEqual(new Set([join(toolsDir(), 'nats-server/usr/sbin/nats-server')]));
    expect(unpacked).toBe(1);
    expect(requests).toEqual([]);
  });

  it('downloads the pinned release when there is no package', async () => {
    const sources = [packageMissing, releaseOf(release)];
    const program = await locateNatsServer({ searchPath: '', toolsDir: toolsDir(), sources });
    expect(execFileSync(program, { encoding: 'utf8' })).toContain('v0.0.1');
    expect(requests).toEqual([`/v0.0.1/${NAME}.tar.gz`]);
  });

  it('refuses an archive with another checksum, and leaves nothing behind', async () => {
    const tampered = { ...release, checksums: { [PLATFORM]: '0'.repeat(64) } };
    const options = { searchPath: '', toolsDir: toolsDir(), sources: [releaseOf(tampered)] };
    await expect(locateNatsServer(options)).rejects.toThrow(/checksum/);
    expect(await readdir(toolsDir())).toEqual(['nats-server.lock']);
  });

  it('says in one message what was tried when there is none at all', async () => {
    const options = {
      searchPath: '',
      toolsDir: toolsDir(),
      sources: [packageMissing, releaseOf({ ...release, checksums: {} })],
    };
    await expect(locateNatsServer(options)).rejects.toThrow(
      /nats-server is missing.*No package.*no pinned release/,
    );
  });
});
