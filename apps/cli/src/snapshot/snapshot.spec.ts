import { mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  CLUSTER_KEY,
  PLACEMENT_CONTROL_KEY,
  PLACEMENT_LIMITS_DEFAULT,
  RESTORED_REVISION_LEAP,
  SHARD_ORDINALS_KEY,
  corruptKey,
  partitionKey,
  verdictKey,
} from '@ringleader/contracts';
import { archiveOf, openLogStorage } from '@ringleader/log-storage';
import { MvccStore, type Operation, plainRead, snapshotOf, storeOf } from '@ringleader/mvcc';
import { decodeConfiguration } from '@ringleader/raft';
import { program } from '../program.js';
import { type Restored, restore } from './restore.js';
import { beginAnew } from './restored-store.js';
import { placeOf } from './snapshot.js';

const CLUSTER = {
  ...{ clusterId: 'before', name: 'local', partitionCount: 16, replicationFactor: 1, initialShards: 1 },
  createdAt: '2026-11-26T00:00:00.000Z',
};
const put = (key: string, value: string): Operation => {
  return { kind: 'put', key, value: new Uint8Array(Buffer.from(value)), lease: 0, wantsPrevious: false };
};
const apply = (store: MvccStore, ...success: Operation[]): void => {
  expect(store.apply({ kind: 'txn', compare: [], success, failure: [] }, 1).kind).toBe('txn');
};
const read = (store: MvccStore, key: string): string | undefined => {
  const outcome = store.range({ ...plainRead, key, rangeEnd: null });
  const [item] = outcome.kind === 'range' ? outcome.items : [];
  return item && Buffer.from(item.value).toString();
};

function aStore(): MvccStore {
  const store = new MvccStore();
  apply(store, put(CLUSTER_KEY, JSON.stringify(CLUSTER)), put(SHARD_ORDINALS_KEY, '3'));
  apply(store, put(partitionKey(0), '{}'), put(corruptKey('77'), '{}'));
  apply(store, put('k', 'old'));
  apply(store, put('k', 'new'));
  store.apply({ kind: 'leaseGrant', ttlMs: 1_000, wanted: 0 }, 1);
  return store;
}

function archived(store: MvccStore): Buffer {
  const header = {
    ...{ cluster: 'local', revision: store.revision, compactedRevision: store.compactedRevision },
    ...{ hash: store.presentHash, member: 'coordinator-1', version: '0.1.0' },
    takenAt: '2026-11-26T00:00:00.000Z',
  };
  return Buffer.concat([...archiveOf(header, snapshotOf(store))]);
}

describe('the store of a snapshot that begins anew', () => {
  it('goes on where nobody has been, as another cluster', () => {
    const store = aStore();
    const { revision } = store;
    const outcome = beginAnew(store, { clusterId: 'now', mayLackMap: false });
    const begun = revision + RESTORED_REVISION_LEAP + 1;
    expect(outcome).toEqual({ kind: 'restored', clusterId: 'now', revision: begun });
    expect(JSON.parse(read(store, CLUSTER_KEY) ?? '')).toEqual({ ...CLUSTER, clusterId: 'now' });
    expect([read(store, 'k'), read(store, SHARD_ORDINALS_KEY)]).toEqual(['new', '103']);
    expect(read(store, corruptKey('77'))).toBeUndefined();
    // Who watched before is told that history is missing.
    const watch = { key: 'k', rangeEnd: null, eventsMax: 10, sizeBytesMax: 1_000 };
    const resumed = store.watch({ ...watch, from: { revision: revision + 5, skip: 0 } });
    expect(resumed).toMatchObject({ kind: 'compacted', compactedRevision: begun - 1 });
    // Leases stay; ids that may have been given since are not given again.
    expect(store.leaseCount).toBe(1);
    const granted = store.apply({ kind: 'leaseGrant', ttlMs: 1_000, wanted: 0 }, 1);
    expect(granted).toMatchObject({ kind: 'leaseGranted', lease: RESTORED_REVISION_LEAP + 2 });
  });

  it('holds placement until a person has looked, and forgets who was down', () => {
    const store = aStore();
    const control = { epoch: 7, paused: false, limits: { ...PLACEMENT_LIMITS_DEFAULT, movesMax: 9 } };
    apply(
      store,
      put(PLACEMENT_CONTROL_KEY, JSON.stringify(control)),
      put(verdictKey('shard', 'shard-1'), '{}'),
    );
    beginAnew(store, { clusterId: 'now', mayLackMap: false });
    expect(JSON.parse(read(store, PLACEMENT_CONTROL_KEY) ?? '')).toEqual({
      ...control,
      epoch: 8,
      paused: true,
    });
    expect(read(store, verdictKey('shard', 'shard-1'))).toBeUndefined();
    const older = aStore();
    beginAnew(older, { clusterId: 'now', mayLackMap: false });
    expect(JSON.parse(read(older, PLACEMENT_CONTROL_KEY) ?? '')).toMatchObject({ epoch: 1, paused: true });
  });

  it('is none from before the first partition map, unless that is said', () => {
    const store = new MvccStore();
    apply(store, put('k', 'v'));
    expect(beginAnew(store, { clusterId: 'now', mayLackMap: false })).toEqual({ kind: 'withoutMap' });
    expect(store.revision).toBe(1);
    expect(beginAnew(store, { clusterId: 'now', mayLackMap: true }).kind).toBe('restored');
  });
});

describe('ringleader coordinator snapshot', () => {
  let folder: string;
  let file: string;
  const inFolder = (name: string): string => join(folder, name);
  const places = () => [1, 2].map((seat) => ({ seat, folder: inFolder(`coordinator-${seat}`) }));

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'snapshot-'));
    file = inFolder('file');
    await writeFile(file, archived(aStore()));
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function run(...args: string[]): Promise<string> {
    const printed: unknown[] = [];
    const log = jest.spyOn(console, 'log').mockImplementation((text) => void printed.push(text));
    try {
      await program().parseAsync(['node', 'ringleader', 'coordinator', 'snapshot', ...args]);
    } finally {
      log.mockRestore();
    }
    return printed.join('\n');
  }

  it('restore writes the folders of a whole group, of ids that never were', async () => {
    const dirs = places().flatMap((place) => ['--data-dir', `coordinator-${place.seat}=${place.folder}`]);
    const restored = JSON.parse(await run('restore', file, ...dirs, '-o', 'json')) as Restored;
    const founders = restored.coordinators.map(({ id }, i) => ({ seat: i + 1, id: Number(id) }));
    expect(restored).toMatchObject({ cluster: 'local', snapshotRevision: 4 });
    const stores: string[] = [];
    for (const place of places()) {
      const { storage, recovered } = await openLogStorage({ directory: join(place.folder, 'raft') });
      const { id } = founders[place.seat - 1]!;
      expect(recovered).toMatchObject({
        identity: { cluster: 'local', seat: place.seat, id, founders, isBegun: true },
        hardState: { term: 1, vote: 0, commit: 1 },
        snapshot: { index: 1, term: 1 },
        entries: [],
      });
      const snapshot = (await storage.openNewestSnapshot())!;
      expect(decodeConfiguration(snapshot.configuration).voters).toEqual(founders);
      const store = storeOf(await Promise.all(snapshot.chunks.map((chunk) => chunk.read())));
      await snapshot.close();
      expect(store.revision).toBe(restored.revision);
      stores.push(store.presentHash);
      await storage.close();
      // A command that was killed half-way has left no coordinator that would start with the store of nobody.
      const writtenAt = async (name: string): Promise<bigint> =>
        (await stat(join(place.folder, 'raft', name), { bigint: true })).mtimeNs;
      expect(await writtenAt('identity')).toBeGreaterThanOrEqual(
        await writtenAt('0000000000000001-1.snapshot'),
      );
    }
    expect(new Set(stores).size).toBe(1);
  });

  it('restore touches nothing where a folder is used, or a coordinator is named twice', async () => {
    const [first, second] = places() as [{ seat: number; folder: string }, { seat: number; folder: string }];
    await mkdir(second.folder);
    await writeFile(join(second.folder, 'something'), '');
    const options = { file, mayLackMap: false };
    await expect(restore({ ...options, places: [first, second] })).rejects.toMatchObject({
      code: 'ALREADY_SO',
      exitCode: 4,
    });
    await expect(restore({ ...options, places: [first, { ...first, folder }] })).rejects.toMatchObject({
      exitCode: 2,
    });
    const within = { seat: 2, folder: join(first.folder, 'within') };
    await expect(restore({ ...options, places: [first, within] })).rejects.toMatchObject({ exitCode: 2 });
    expect((await readdir(folder)).sort()).toEqual(['coordinator-2', 'file']);
    expect(() => placeOf('shard-1=/x')).toThrow('coordinator-1=/var/lib/ringleader');
  });

  it('restore takes a new volume for empty', async () => {
    await mkdir(join(folder, 'coordinator-1', 'lost+found'), { recursive: true });
    const [first] = places();
    const { coordinators } = await restore({ file, places: [first!], mayLackMap: false });
    expect(coordinators.map(({ folder: at }) => at)).toEqual([first!.folder]);
    expect((await readdir(first!.folder)).sort()).toEqual(['lost+found', 'raft']);
  });

  it('restore gives no two coordinators the same folder, whatever names it has, and no cluster a name that none may have', async () => {
    await mkdir(inFolder('one'));
    await symlink(inFolder('one'), inFolder('other'));
    const same = [1, 2].map((seat) => ({ seat, folder: inFolder(['one', 'other'][seat - 1]!) }));
    const options = { file, mayLackMap: false };
    await expect(restore({ ...options, places: same })).rejects.toMatchObject({ code: 'ALREADY_SO' });
    expect(await readdir(inFolder('one'))).toEqual([]);
    const odd = restore({ ...options, places: places(), cluster: 'of/mine' });
    await expect(odd).rejects.toMatchObject({ name: 'CliFailure', exitCode: 2 });
    expect((await readdir(folder)).sort()).toEqual(['file', 'one', 'other']);
  });

  it('restore says in a sentence what cannot be written, and leaves no part of a group', async () => {
    const [first] = places() as [{ seat: number; folder: string }];
    // A link to nowhere: not there for who reads, and in the way of who writes.
    await symlink(inFolder('nowhere'), inFolder('link'));
    const options = { file, mayLackMap: false, places: [first, { seat: 2, folder: inFolder('link') }] };
    const sentence = expect.stringContaining('link cannot be written: E');
    await expect(restore(options)).rejects.toMatchObject({ name: 'CliFailure', message: sentence });
    expect(await readdir(first.folder)).toEqual([]);
  });

  it('restore and status refuse what is not whole', async () => {
    const whole = await readFile(file);
    await writeFile(file, whole.subarray(0, whole.length - 1));
    await expect(run('status', file)).rejects.toMatchObject({ message: expect.stringContaining('cut off') });
    await expect(restore({ file, places: places(), mayLackMap: false })).rejects.toThrow('cut off');
    await expect(run('status', inFolder('nothing'))).rejects.toMatchObject({ exitCode: 2 });
    expect((await readdir(folder)).sort()).toEqual(['file']);
  });

  it('status tells what a file holds', async () => {
    const facts = JSON.parse(await run('status', file, '-o', 'json')) as unknown;
    expect(facts).toMatchObject({ revision: 4, keys: 5, leases: 1, hash: aStore().presentHash });
    expect(await run('status', file)).toMatch(/revision +4\n/);
  });

  describe('save', () => {
    let server: Server;
    let sent: Buffer;
    let isCut: boolean;
    const save = (path: string): Promise<string> => {
      const { port } = server.address() as AddressInfo;
      return run('save', path, '--from', 'coordinator-2', '--gateway', `http://127.0.0.1:${port}`);
    };

    beforeEach(async () => {
      sent = await readFile(file);
      isCut = false;
      server = createServer((request, response) => {
        expect(request.url).toBe('/v1/cluster/coordinator/snapshot?from=coordinator-2');
        response.write(sent.subarray(0, 100), () => {
          if (isCut) response.destroy();
          else response.end(sent.subarray(100));
        });
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    });
    afterEach(() => {
      server.closeAllConnections();
      server.close();
    });

    it.each(['saved', 'saved.gz'])('writes %s, which status reads', async (name) => {
      expect(await save(inFolder(name))).toContain('Saved revision 4 of coordinator-1');
      expect(await run('status', inFolder(name))).toMatch(/revision +4\n/);
      expect((await stat(inFolder(name))).mode & 0o777).toBe(0o600);
    });

    it('keeps what there was where the stream is cut off, or is not what was sent', async () => {
      await writeFile(inFolder('saved'), 'earlier');
      isCut = true;
      await expect(save(inFolder('saved'))).rejects.toMatchObject({ exitCode: 5 });
      isCut = false;
      sent = Buffer.from(sent);
      sent.writeUInt8(sent.readUInt8(500) ^ 1, 500);
      await expect(save(inFolder('saved'))).rejects.toThrow('checksum');
      expect(await readFile(inFolder('saved'), 'utf8')).toBe('earlier');
      expect((await readdir(folder)).sort()).toEqual(['file', 'saved']);
    });

    it('asks for nothing that it cannot write: a stream that nobody reads keeps the process from ending', async () => {
      let asked = 0;
      server.on('request', () => (asked += 1));
      await expect(save(inFolder('missing/saved'))).rejects.toThrow('cannot be written');
      expect(asked).toBe(0);
    });

    it('leaves nothing behind where the gateway refuses', async () => {
      server.removeAllListeners('request').on('request', (_, response: ServerResponse) => {
        response.writeHead(404, { 'content-type': 'application/problem+json' });
        response.end(JSON.stringify({ status: 404, code: 'MEMBER_NOT_FOUND', detail: 'None of that name' }));
      });
      await expect(save(inFolder('saved'))).rejects.toMatchObject({ exitCode: 3 });
      expect(await readdir(folder)).toEqual(['file']);
    });
  });
});
