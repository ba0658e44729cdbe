import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { OperationalError } from '@ringleader/contracts';
import { z } from 'zod';
import {
  advertisedHost,
  budgeted,
  commonConfig,
  decimal,
  hostAndPort,
  integer,
  listenedHost,
  loadConfig,
  memberOf,
} from './load-config.js';

const schema = z
  .object({
    ...commonConfig,
    RINGLEADER_PARTITION_COUNT: integer(16, 16_384).default(256),
    RINGLEADER_PASSWORD: z.string().min(3).optional(),
  })
  .superRefine(() => undefined);

describe('loadConfig', () => {
  it('parses numbers, applies defaults and freezes', () => {
    const config = loadConfig(schema, { RINGLEADER_MEMBER: 'shard-1', RINGLEADER_PARTITION_COUNT: '64' });
    expect(config).toMatchObject({ RINGLEADER_CLUSTER: 'local', RINGLEADER_PARTITION_COUNT: 64 });
    expect(Object.isFrozen(config)).toBe(true);
  });

  describe('with a limited memory', () => {
    const MIB = 1024 * 1024;
    const budget = { share: 1 / 8, minMib: 8, maxMib: 100, elseMib: 77 };
    const withCaches = z.object({
      ...commonConfig,
      RINGLEADER_ROW_CACHE_BYTES: budgeted(0, 2 ** 40, budget),
      RINGLEADER_REQUEST_BYTES_MAX: budgeted(0, 2 ** 40, budget),
    });
    const load = (more: Record<string, string>) =>
      loadConfig(withCaches, { RINGLEADER_MEMBER: 'shard-1', ...more });

    it('gives what is not set its share', () => {
      const config = load({ RINGLEADER_MEMORY_MIB: '512', RINGLEADER_REQUEST_BYTES_MAX: '1000' });
      expect(config.RINGLEADER_ROW_CACHE_BYTES).toBe(64 * MIB);
      expect(config.RINGLEADER_REQUEST_BYTES_MAX).toBe(1_000);
      expect(load({ RINGLEADER_MEMORY_MIB: '100000' }).RINGLEADER_ROW_CACHE_BYTES).toBe(100 * MIB);
    });

    it('refuses what a process cannot run in, and settings that leave too little for the rest', () => {
      expect(() => load({ RINGLEADER_MEMORY_MIB: '191' })).toThrow(/RINGLEADER_MEMORY_MIB: .*192/);
      expect(() => load({ RINGLEADER_MEMORY_MIB: '0.5' })).toThrow(/must be a whole number/);
      const tooMuch = { RINGLEADER_MEMORY_MIB: '256', RINGLEADER_ROW_CACHE_BYTES: String(100 * MIB) };
      expect(() => load(tooMuch)).toThrow(
        'RINGLEADER_MEMORY_MIB: RINGLEADER_ROW_CACHE_BYTES, RINGLEADER_REQUEST_BYTES_MAX are 132 MiB together, ' +
          "and may be half of the process's 256 MiB",
      );
    });

    it('refuses a container that a process cannot run in', () => {
      expect(() => loadConfig(withCaches, { RINGLEADER_MEMBER: 'shard-1' }, 100 * MIB)).toThrow(
        "RINGLEADER_MEMORY_MIB: the container's limit is 100 MiB, and a process needs 192 at least",
      );
      const roomy = loadConfig(withCaches, { RINGLEADER_MEMBER: 'shard-1' }, 400 * MIB);
      expect(roomy.RINGLEADER_ROW_CACHE_BYTES).toBe(50 * MIB);
    });
  });

  it('refuses a variable that is misspelt, by the name that is meant', () => {
    const load = () => loadConfig(schema, { RINGLEADER_MEMBER: 'shard-1', RINGLEADER_CLUSTR: 'x' });
    expect(load).toThrow(/RINGLEADER_CLUSTR: is unknown; is RINGLEADER_CLUSTER meant\?$/);
  });

  it('passes over an unknown variable where that is said to be tolerated, and nothing else that is wrong', () => {
    const environment = {
      RINGLEADER_MEMBER: 'shard-1',
      RINGLEADER_OF_A_LATER_VERSION: '1',
      RINGLEADER_UNKNOWN_VARIABLES: 'warn',
    };
    expect(loadConfig(schema, environment).RINGLEADER_MEMBER).toBe('shard-1');
    const load = (more: object) => () => loadConfig(schema, { ...environment, ...more });
    expect(load({ RINGLEADER_CLUSTER: 'No!' })).toThrow(/is not valid: RINGLEADER_CLUSTER/);
    expect(load({ RINGLEADER_UNKNOWN_VARIABLES: 'refuse' })).toThrow(/RINGLEADER_OF_A_LATER_VERSION/);
    expect(load({ RINGLEADER_UNKNOWN_VARIABLES: 'yes' })).toThrow(/RINGLEADER_UNKNOWN_VARIABLES/);
  });

  it('takes an empty variable as absent', () => {
    const config = loadConfig(schema, { RINGLEADER_MEMBER: 'shard-1', RINGLEADER_CLUSTER: '' });
    expect(config.RINGLEADER_CLUSTER).toBe('local');
  });

  it('names every variable that is wrong', () => {
    const load = (): unknown =>
      loadConfig(schema, { RINGLEADER_NATS_URL: 'nonsense', RINGLEADER_PARTITION_COUNT: '3' });
    expect(load).toThrow(OperationalError);
    expect(load).toThrow(/RINGLEADER_NATS_URL.*RINGLEADER_MEMBER.*RINGLEADER_PARTITION_COUNT/);
  });

  it.each(['0x40', '6e1', ' 64', '64.0', '+64', '64n', 'many'])('takes %j for no number', (text) => {
    const load = () => loadConfig(schema, { RINGLEADER_MEMBER: 'shard-1', RINGLEADER_PARTITION_COUNT: text });
    expect(load).toThrow(/RINGLEADER_PARTITION_COUNT: must be a whole number$/);
  });

  it.each([
    ['2', 2],
    ['0.5', 0.5],
    ['0x1', null],
    ['1e1', null],
    [' 1', null],
    ['-1', null],
    ['0', null],
  ])('takes %j for the weight %j', (text, expected) => {
    const weighed = z.object({ ...commonConfig, WEIGHT: decimal(0.001, 1_000) });
    const load = () => loadConfig(weighed, { RINGLEADER_MEMBER: 'shard-1', WEIGHT: text });
    if (expected === null) expect(load).toThrow(/: WEIGHT: /);
    else expect(load().WEIGHT).toBe(expected);
  });

  it('says which variables are missing', () => {
    const needing = z.object({ ...commonConfig, RINGLEADER_SEAT: integer(1, 3) });
    const load = () => loadConfig(needing, { RINGLEADER_SEAT: '' });
    expect(load).toThrow(/RINGLEADER_MEMBER: is missing; RINGLEADER_SEAT: is missing$/);
  });

  it('takes the name of the member from that of the pod', () => {
    expect(loadConfig(schema, { HOSTNAME: 'shard-7' }).RINGLEADER_MEMBER).toBe('shard-7');
    const environment = { HOSTNAME: 'node-3', POD_NAME: 'shard-7' };
    expect(loadConfig(schema, environment).RINGLEADER_MEMBER).toBe('shard-7');
    expect(loadConfig(schema, { ...environment, RINGLEADER_MEMBER: 'mine' }).RINGLEADER_MEMBER).toBe('mine');
    expect([memberOf(environment), memberOf({ HOSTNAME: '' })]).toEqual(['shard-7', 'unnamed']);
  });

  describe('with variables in files', () => {
    let folder: string;
    const fileWith = (text: string): string => {
      const file = join(folder, `file-${text.length}`);
      writeFileSync(file, text);
      return file;
    };
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'ringleader-config-'));
    });
    afterAll(() => rmSync(folder, { recursive: true }));
    const load = (environment: Record<string, string>) =>
      loadConfig(schema, { RINGLEADER_MEMBER: 'shard-1', ...environment });

    it.each([
      ['top secret\n', 'top secret'],
      ['with newline\n\n', 'with newline\n'],
      [' spaces ', ' spaces '],
    ])('reads %j', (text, expected) => {
      expect(load({ RINGLEADER_PASSWORD_FILE: fileWith(text) }).RINGLEADER_PASSWORD).toBe(expected);
    });

    it('takes an empty file as absent', () => {
      expect(load({ RINGLEADER_PASSWORD_FILE: fileWith('\n') }).RINGLEADER_PASSWORD).toBeUndefined();
    });

    it.each([
      [{ RINGLEADER_PASSWORD_FILE: '/nowhere/at/all' }, /RINGLEADER_PASSWORD_FILE: .*ENOENT/],
      [{ RINGLEADER_PASSWORD_FILE: '/dev/null', RINGLEADER_PASSWORD: 'abc' }, /not both/],
    ])('refuses %j', (environment, message) => {
      expect(() => load(environment)).toThrow(message);
    });

    it('does not tell the secret when it is refused', () => {
      expect(() => load({ RINGLEADER_PASSWORD_FILE: fileWith('xy') })).toThrow(/RINGLEADER_PASSWORD/);
      expect(() => load({ RINGLEADER_PASSWORD_FILE: fileWith('xy') })).not.toThrow(/xy/);
    });
  });
});

describe('addresses', () => {
  const config = (more: Record<string, string>) =>
    loadConfig(schema, { RINGLEADER_MEMBER: 'shard-1', ...more });

  it.each([
    [{}, '127.0.0.1', '127.0.0.1'],
    [{}, '0.0.0.0', 'shard-1'],
    [{ POD_IP: '10.1.2.3' }, '0.0.0.0', '10.1.2.3'],
    [{ POD_IP: '10.1.2.3' }, '127.0.0.1', '127.0.0.1'],
    [{ POD_IP: '10.1.2.3', RINGLEADER_ADVERTISED_HOST: 'shard-1.shards' }, '::', 'shard-1.shards'],
  ])('with %j and %s bound, others are told %s', (environment, bound, advertised) => {
    expect(advertisedHost(config(environment), bound)).toBe(advertised);
  });

  it.each(['999.1.1.1', '1.2.3', '1.2.3.4.5', '::g', '[127.0.0.1]', 'a b', 'a..b', '-a', 'a:80', 'http://a'])(
    'refuses %j, which can be no host',
    (host) => {
      for (const variable of ['RINGLEADER_PROBE_HOST', 'RINGLEADER_ADVERTISED_HOST', 'POD_IP']) {
        expect(() => config({ [variable]: host })).toThrow(`${variable}: must be a`);
      }
    },
  );

  it.each(['0.0.0.0', '::', '[::]'])('refuses to tell others %s, which is every address', (host) => {
    expect(() => config({ RINGLEADER_ADVERTISED_HOST: host })).toThrow('RINGLEADER_ADVERTISED_HOST: must be');
    expect(config({ RINGLEADER_PROBE_HOST: host }).RINGLEADER_PROBE_HOST).toBe(host);
  });

  it.each(['localhost', 'shard-1.shards.svc.', 'a_b.c', '3com.example', '10.0.0.1', 'fe80::1', '[::1]'])(
    'takes %s',
    (host) => {
      expect(config({ RINGLEADER_ADVERTISED_HOST: host }).RINGLEADER_ADVERTISED_HOST).toBe(host);
    },
  );

  it('listens to all that reach every address, by either family as far as the machine has it', async () => {
    expect([listenedHost('127.0.0.1'), listenedHost('[::1]'), listenedHost('0.0.0.0')]).toEqual([
      ...['127.0.0.1', '::1', '0.0.0.0'],
    ]);
    const hosts = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
    const loopback = hosts.filter(({ internal }) => internal).map(({ address }) => address);
    expect(loopback.length).toBeGreaterThan(0);
    const server = createServer((socket) => socket.end());
    server.listen(0, listenedHost('::'));
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    for (const address of loopback) {
      const socket = connect(port, address);
      await once(socket, 'connect');
      socket.destroy();
    }
    server.close();
  });

  it('puts IPv6 addresses into brackets', () => {
    expect([hostAndPort('::1', 80), hostAndPort('[::1]', 80), hostAndPort('a.b', 80)]).toEqual([
      '[::1]:80',
      '[::1]:80',
      'a.b:80',
    ]);
  });
});
