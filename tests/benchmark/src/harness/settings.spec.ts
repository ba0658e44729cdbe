import { describe, expect, it } from '@jest/globals';
import { Command, CommanderError } from 'commander';
import { resolve } from 'node:path';
import { declareFlags, settingsOf, type Settings } from './settings.js';

function parse(text: string): Settings {
  const command = declareFlags(new Command())
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  command.parse(text === '' ? [] : text.split(' '), { from: 'user' });
  return settingsOf(command.opts());
}

function refusalOf(text: string): string {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof CommanderError) return error.message;
    throw error;
  }
  return 'accepted';
}

describe('the flags of the benchmark', () => {
  it('measure everything by default', () => {
    expect(parse('')).toMatchObject({
      targets: ['ringleader', 'etcd', 'zookeeper'],
      areTargetsNamed: false,
      workloads: ['write', 'read', 'mixed', 'batch', 'batch-cbor', 'watch'],
      clients: [1, 64, 256],
      sizes: [100, 1_024, 65_536],
      rates: [{ kind: 'relative', part: 0.5 }],
      rounds: 5,
      memoryKeys: 1_000_000,
      shards: [3],
      gateways: [1],
      batchSize: 50,
      alone: false,
    });
  });

  it('take a part of it, quick or not', () => {
    expect(parse('--quick')).toMatchObject({
      workloads: ['write', 'read', 'batch'],
      clients: [64],
      rounds: 3,
    });
    const flags =
      '--quick --targets etcd,ringleader --workloads watch --clients 2,8 --sizes 1KiB,100 --rounds 7 --seconds 0.5 --warm-up 0 --settle 0.1';
    expect(parse(flags)).toMatchObject({
      targets: ['etcd', 'ringleader'],
      areTargetsNamed: true,
      workloads: ['watch'],
      clients: [2, 8],
      sizes: [1_024, 100],
      rounds: 7,
      seconds: 0.5,
      settleSeconds: 0.1,
      warmUpSeconds: 0,
    });
  });

  it('take rates of both kinds, and none', () => {
    expect(parse('--rates 2000,0.25x').rates).toEqual([
      { kind: 'absolute', perSecond: 2_000 },
      { kind: 'relative', part: 0.25 },
    ]);
    expect(parse('--rates none').rates).toEqual([]);
  });

  it('take numbers of shards and gateways, files, and a prefix that keeps keys in one partition', () => {
    const flags =
      '--shards 3,6,12 --gateways 1,2 --json a.json --html a.html --key-prefix {one}/ --alone --batch 20';
    expect(parse(flags)).toMatchObject({
      shards: [3, 6, 12],
      gateways: [1, 2],
      json: 'a.json',
      html: 'a.html',
      keyPrefix: '{one}/',
      alone: true,
      batchSize: 20,
    });
  });

  it('take the folder of PostgreSQL from where the user stands', () => {
    expect(parse('--postgres some/bin').postgres).toBe(resolve('some/bin'));
    expect(parse('--postgres /some/bin').postgres).toBe('/some/bin');
    expect(parse('').postgres).toBeUndefined();
  });

  it.each([
    ['--targets consul', 'There is no target "consul": there are ringleader, etcd, zookeeper.'],
    [
      '--workloads put',
      'There is no workload "put": there are write, read, mixed, batch, batch-cbor, watch.',
    ],
    ['--clients 1,none', '"none" is no whole number from 1 to 4096.'],
    ['--clients 0', '"0" is no whole number'],
    ['--clients 1,', '"" is no whole number'],
    ['--sizes 1GiB', '"1GiB" is no size of a value'],
    ['--sizes 2MiB', '"2MiB" is no size of a value'],
    ['--rounds 2.5', '"2.5" is no whole number from 1 to 1000.'],
    ['--seconds -1', '"-1" is no number from 0.1 to 3600.'],
    ['--seconds NaN', '"NaN" is no number'],
    ['--rates fast', '"fast" is no rate'],
    ['--rates 0x', '"0x" is no rate'],
    ['--shards 65', '"65" is no whole number from 1 to 64.'],
    ['--load python', 'There is no load "python": there are auto, go, node.'],
    ['--key-prefix /a', '"/a" is no prefix of keys'],
    ['--batch 1', '"1" is no whole number from 2 to 100.'],
    ['--speed 9', "unknown option '--speed'"],
    ['everything', 'too many arguments'],
  ])('refuse %s', (flags, why) => {
    expect(refusalOf(flags)).toContain(why);
  });
});
