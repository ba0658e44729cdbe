/** Three shards over real NATS and real databases: what is acknowledged survives the death of any of them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  ByteWriter,
  OLDEST_WIRE_VERSION,
  openFrame,
  speakerOf,
  startPeerFrame,
  startRequestFrame,
  subjects,
  WIRE_VERSION,
} from '@ringleader/contracts';
import { UNLOGGED, connectNats } from '@ringleader/nats';
import { HotConnection } from '@ringleader/postgres';
import { startNatsServer, startPostgres, type TestServer, until } from '@ringleader/testing-servers';
import { fixedMap, TestGateway, TestShard } from './shell.fixtures.js';

const PARTITIONS = 16;
const ORDINALS = [1, 2, 3];
/** A member of the version before, for all tests: it neither says nor understands more than the oldest frames. */
const OLD = 3;
const map = fixedMap(PARTITIONS, ORDINALS);
const PURGING_SOON = { RINGLEADER_PURGE_REST_MS: '200', RINGLEADER_PURGE_AFTER_MS: '1000' };

let dir: string;
let postgres: TestServer;
let nats: TestServer;
let gateway: TestGateway;
const shards = new Map<number, TestShard>();

/** One server, a database for each shard. */
const databaseOf = (ordinal: number): string => {
  const url = new URL(postgres.url);
  url.pathname = `/shard_${ordinal}`;
  return url.href;
};

async function start(ordinal: number, settings: Record<string, string> = {}): Promise<TestShard> {
  const wireVersion = ordinal === OLD ? OLDEST_WIRE_VERSION : WIRE_VERSION;
  const place = { natsUrl: nats.url, postgresUrl: databaseOf(ordinal) };
  const options = { ordinal, ...place, map, settings: { ...PURGING_SOON, ...settings }, wireVersion };
  const shard = await TestShard.start(options);
  shards.set(ordinal, shard);
  return shard;
}

async function kill(ordinal: number): Promise<void> {
  await shards.get(ordinal)?.kill();
  shards.delete(ordinal);
}

function connect(url: string): Promise<HotConnection> {
  const settings = { connectTimeoutMs: 5_000, stallMs: 60_000, onLost: () => undefined };
  return HotConnection.open({ url, applicationName: 'test', ...settings });
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ringleader-shell-'));
  [postgres, nats] = await Promise.all([
    startPostgres({ dir: join(dir, 'postgres') }),
    startNatsServer({ dir: join(dir, 'nats') }),
  ]);
  const connection = await connect(postgres.url);
  for (const ordinal of ORDINALS) await connection.runOnce(`CREATE DATABASE shard_${ordinal}`);
  await connection.close();
  await Promise.all(ORDINALS.map((ordinal) => start(ordinal)));
  gateway = await TestGateway.connect(nats.url);
  await gateway.allLed(PARTITIONS);
}, 90_000);

afterAll(async () => {
  await gateway.close();
  await Promise.all([...shards.values()].map((shard) => shard.stop()));
  await Promise.all([postgres.stop(), nats.stop()]);
  await rm(dir, { recursive: true, force: true });
}, 30_000);

/** All rows of the database, and those among them that are no tombstones. */
async function rowCounts(ordinal: number): Promise<number[]> {
  const connection = await connect(databaseOf(ordinal));
  const [row] = await connection.run({ name: 'counts', text: 'SELECT count(*), count(value) FROM rows' }, []);
  await connection.close();
  return (row ?? []).map(Number);
}

/** In each database so many rows, and no tombstone. */
async function haveLiveRowsOnly(ordinals: readonly number[], count: number): Promise<boolean> {
  const counts = await Promise.all(ordinals.map(rowCounts));
  return counts.flat().every((found) => found === count);
}

const keys = Array.from({ length: PARTITIONS }, (_, partition) => `key-${partition}`);

async function putAll(value: string): Promise<void> {
  const replies = await Promise.all(keys.map((key, partition) => gateway.put(partition, key, value)));
  expect(new Set(replies.map(({ kind }) => kind))).toEqual(new Set(['written']));
}

async function getAll(): Promise<(string | undefined)[]> {
  const rows = await Promise.all(keys.map((key, partition) => gateway.get(partition, key)));
  return rows.map((row) => (row?.value ? Buffer.from(row.value).toString() : undefined));
}

describe('three shards', () => {
  it('write and read every partition', async () => {
    await putAll('first');
    expect(await getAll()).toEqual(keys.map(() => 'first'));
    expect(await gateway.get(0, 'absent')).toBeNull();
  }, 30_000);

  it('decide conditions, and give a repeated request the first answer', async () => {
    const conditions = [{ kind: 'ifAbsent' }] as const;
    const options = { conditions, requestId: 'repeated' };
    const first = await gateway.put(1, 'conditional', 'a', options);
    expect(first).toMatchObject({ kind: 'written', version: 1, created: true });
    const { revision } = first as Extract<typeof first, { kind: 'written' }>;
    expect(await gateway.put(1, 'conditional', 'a', options)).toMatchObject({ kind: 'written', revision });
    expect(await gateway.put(1, 'conditional', 'b', { conditions })).toMatchObject({
      kind: 'conditionFailed',
      revision,
      version: 1,
    });
  }, 30_000);

  it('find rows that a hand has changed in one database, and put them right, under load', async () => {
    const names = Array.from({ length: 40 }, (_, i) => `row-${String(i).padStart(2, '0')}`);
    for (const name of names) await gateway.put(5, name, `value of ${name}`);
    const [followers, leader] = [ORDINALS.filter((o) => o !== gateway.leaderOf(5)), gateway.leaderOf(5)];
    const changed = async (ordinal: number, statement: string): Promise<void> => {
      const session = await HotConnection.open({
        url: databaseOf(ordinal),
        ...{ applicationName: 'by hand', connectTimeoutMs: 5_000, stallMs: 60_000 },
        onLost: () => undefined,
      });
      await session.runOnce(statement);
      await session.close();
    };
    const where = (name: string): string => `WHERE partition = 5 AND key = '${name}'::bytea`;
    await changed(followers[0]!, `UPDATE rows SET value = set_byte(value, 0, 33) ${where('row-03')}`);
    await changed(followers[0]!, `DELETE FROM rows ${where('row-04')}`);
    await changed(followers[1]!, `UPDATE rows SET revision = revision - 1 ${where('row-05')}`);
    await changed(followers[1]!, `UPDATE rows SET requests = '\\x05ff' ${where('row-06')}`);
    await changed(followers[1]!, `UPDATE rows SET key = 'row-99'::bytea ${where('row-07')}`);
    await changed(leader, `UPDATE rows SET value = set_byte(value, 0, 33) ${where('row-08')}`);
    let isLoaded = true;
    const load = (async (): Promise<void> => {
      for (let i = 0; isLoaded; i++) await gateway.put(5, names[20 + (i % 20)]!, `written meanwhile ${i}`);
    })();
    const verify = async (run: string) => {
      const { driver } = shards.get(gateway.leaderOf(5))!;
      driver.verify(run);
      const ofFive = () => {
        const { run: present, partitions } = driver.verified();
        return present === run ? partitions.find(({ partition }) => partition === 5) : undefined;
      };
      await until('partition 5 is compared', () => ofFive() !== undefined, { timeoutMs: 20_000 });
      return ofFive();
    };
    expect(await verify('first')).toMatchObject({ complete: true, differed: 7, mended: 7 });
    expect(await verify('second')).toMatchObject({ complete: true, differed: 0 });
    isLoaded = false;
    await load;
    const rows = await Promise.all(names.slice(0, 20).map((name) => gateway.get(5, name)));
    expect(rows.map((row) => Buffer.from(row!.value!).toString())).toEqual(
      names.slice(0, 20).map((name) => `value of ${name}`),
    );
    expect(await verify('third')).toMatchObject({ complete: true, differed: 0, rows: names.length + 1 });
  }, 60_000);

  it('serve without leases, where they are told to, by rounds of Confirm', async () => {
    const restartAll = async (settings: Record<string, string>): Promise<void> => {
      await Promise.all(ORDINALS.map(kill));
      await Promise.all(ORDINALS.map((ordinal) => start(ordinal, settings)));
    };
    await restartAll({ RINGLEADER_READ_PROOF: 'confirm' });
    await putAll('confirmed');
    expect(await getAll()).toEqual(keys.map(() => 'confirmed'));
    const statuses = [...shards.values()].flatMap(({ driver }) => driver.status());
    expect(statuses.some(({ role }) => role === 'leader')).toBe(true);
    expect(statuses.filter(({ leased }) => leased)).toEqual([]);
    await restartAll({});
    expect(await getAll()).toEqual(keys.map(() => 'confirmed'));
  }, 60_000);

  it('lose nothing when one is killed, and go on', async () => {
    await putAll('before the kill');
    await kill(gateway.leaderOf(0));
    expect(await getAll()).toEqual(keys.map(() => 'before the kill'));
    await putAll('with two');
    expect(await getAll()).toEqual(keys.map(() => 'with two'));
  }, 60_000);

  it('bring up to date who comes back, so that another one may die', async () => {
    const missing = ORDINALS.find((ordinal) => !shards.has(ordinal))!;
    const returned = await start(missing);
    const caughtUp = () => {
      const status = returned.driver.status();
      const behind = status.filter(({ commit, position }) => position.revision === 0 || commit === 0);
      return Promise.resolve(status.length === PARTITIONS && behind.length === 0);
    };
    await putAll('with three again');
    await until('the returned shard has caught up', caughtUp, { timeoutMs: 20_000 });
    await kill(ORDINALS.find((ordinal) => ordinal !== missing)!);
    expect(await getAll()).toEqual(keys.map(() => 'with three again'));
    await putAll('with two again');
  }, 60_000);

  it('seal what they say to whoever understands it, and only that', async () => {
    const link = await connectNats({ servers: [nats.url], name: 'listener' }, UNLOGGED);
    const heard = new Map<string, boolean>();
    for (const to of ORDINALS) {
      link.connection.subscribe(subjects.peer.to('shell-test', to), {
        callback: (_, { data, subject }) => {
          const opened = openFrame(data);
          const isSealed = opened.kind === 'opened' && opened.understands !== null;
          heard.set(`${speakerOf(subject)?.member ?? ''}>${String(to)}`, isSealed);
        },
      });
    }
    await Promise.all(ORDINALS.filter((ordinal) => !shards.has(ordinal)).map((ordinal) => start(ordinal)));
    const pairs = ORDINALS.flatMap((from) => ORDINALS.map((to) => [from, to] as const));
    const expected = pairs
      .filter(([from, to]) => from !== to)
      .map(([from, to]) => [`${String(from)}>${String(to)}`, from !== OLD && to !== OLD]);
    await until(
      'all pairs speak as they understand each other',
      () => Promise.resolve(expected.every(([pair, isSealed]) => heard.get(String(pair)) === isSealed)),
      { timeoutMs: 20_000 },
    );
    await link.close();
  }, 30_000);

  it('survive garbage on every subject', async () => {
    const link = await connectNats({ servers: [nats.url], name: 'garbage' }, UNLOGGED);
    const peer = { service: 'shard', member: 9 } as const;
    const stranger = { service: 'gateway', member: 'stranger' } as const;
    const survivor = [...shards.values()][0]!;
    const dropped = (): number =>
      (['malformed', 'version'] as const).reduce((sum, why) => sum + survivor.refused(why), 0);
    const before = dropped();
    for (let i = 0; i < 100; i++) {
      const garbage = Buffer.from(Array.from({ length: i }, (_, at) => (i * 31 + at * 17) % 256));
      link.publish(subjects.peer.from('shell-test', peer, survivor.ordinal), garbage);
      link.publish(subjects.peerBulk.from('shell-test', peer, survivor.ordinal), garbage);
      link.publish(subjects.request.from('shell-test', stranger, survivor.ordinal), garbage);
    }
    await until('the garbage was counted', () => Promise.resolve(dropped() === before + 300), {
      timeoutMs: 10_000,
    });
    await link.close();
    expect(await getAll()).toEqual(keys.map(() => 'with two again'));
  }, 30_000);

  it('take nothing from who speaks for another', async () => {
    const link = await connectNats({ servers: [nats.url], name: 'impostor' }, UNLOGGED);
    const survivor = [...shards.values()][0]!;
    const before = survivor.refused('misattributed');
    const writer = new ByteWriter();
    startPeerFrame(writer, { from: 2, hybridTime: 1 });
    const frame = writer.take();
    link.publish(subjects.peer.from('shell-test', { service: 'shard', member: 3 }, survivor.ordinal), frame);
    startRequestFrame(writer, { gatewayId: 'gateway-1', hybridTime: 1 });
    const request = writer.take();
    const impostor = { service: 'gateway', member: 'gateway-2' } as const;
    link.publish(subjects.request.from('shell-test', impostor, survivor.ordinal), request);
    await until('both are counted', () => Promise.resolve(survivor.refused('misattributed') === before + 2), {
      timeoutMs: 10_000,
    });
    await link.close();
  }, 30_000);

  it('purge what was deleted from all databases, whoever was away meanwhile', async () => {
    const [, livingBefore = 0] = await rowCounts(ORDINALS[1]!);
    const churned = Array.from({ length: 8 * PARTITIONS }, (_, index) => `churned-${index}`);
    const [kept, before, away] = [0, 1, 2].map((part) => churned.filter((_, index) => index % 3 === part));
    const inTurn = (names: readonly string[], change: (partition: number, key: string) => Promise<unknown>) =>
      Promise.all(names.map((key) => change(churned.indexOf(key) % PARTITIONS, key)));
    const put = (partition: number, key: string) => gateway.put(partition, key, 'v');
    const remove = (partition: number, key: string) => gateway.remove(partition, key);
    await inTurn(churned, put);
    await inTurn(before!, remove);
    const [absentee, ...others] = ORDINALS;
    const expected = kept!.length + livingBefore;
    await kill(absentee!);
    await inTurn(away!, remove);
    await inTurn(before!, put);
    await inTurn(before!, remove);
    await until('the others have purged', () => haveLiveRowsOnly(others, expected), { timeoutMs: 20_000 });
    // All that were deleted before it went, and again since; how many went earlier is a matter of time.
    for (const ordinal of others)
      expect(shards.get(ordinal)?.activity.tombstonesPurged).toBeGreaterThanOrEqual(
        before!.length + away!.length,
      );
    await start(absentee!);
    await until('all have purged', () => haveLiveRowsOnly(ORDINALS, expected), { timeoutMs: 20_000 });
    await kill(others[0]!);
    const rows = await Promise.all(churned.map((key, index) => gateway.get(index % PARTITIONS, key)));
    expect(churned.filter((_, index) => rows[index]?.value)).toEqual(kept);
    await start(others[0]!);
  }, 60_000);

  it('answer UNKNOWN for what was in flight when the database goes, and refuse afterwards', async () => {
    const [shard] = [...shards.values()];
    await shard!.storage.close();
    const partition = map.findIndex(({ partition: p }) => gateway.leaderOf(p) === shard!.ordinal);
    const request = {
      kind: 'write',
      partition,
      epoch: 1,
      ballot: shard!.driver.status().find((status) => status.partition === partition)!.ballot,
      requestId: 'lost',
      origin: Date.now() * 1024,
      operation: { kind: 'delete', key: keys[partition]!, conditions: [] },
    } as const;
    const first = await gateway.ask(shard!.ordinal, request, 5_000);
    expect(first).toMatchObject({ kind: 'outcomeUnknown' });
    expect(await gateway.ask(shard!.ordinal, request, 5_000)).toMatchObject({ kind: 'notLeader', ballot: 0 });
  }, 30_000);
});
