import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import { openLogStorage } from '@ringleader/log-storage';
import type { LogIdentity } from '@ringleader/log-storage';
import type { MemberId } from '@ringleader/primitives';
import { decodeFrame, encodeFrames, encodeIntroduction } from '@ringleader/raft';
import type {
  CommittedCommand,
  RaftNode,
  RaftReceiver,
  RaftSettings,
  RaftTransport,
  StateMachine,
} from './raft-node.js';
import { until } from '@ringleader/testing-servers';
import type { MemberChangeOutcome } from './group-changes.js';
import type { RaftNodeEvent } from './raft-events.js';
import { startRaftNode } from './start-raft-node.js';

/** No measure of anything: it bounds how long a test that cannot succeed takes to say so, on a machine that is busy. */
const PATIENCE_MS = 30_000;

/** Time to elect that a write to the disk does not exceed, for tests of what one leader does. */
const UNHURRIED = { tickMs: 50 };

/** Remembers every command; a snapshot is all of them. */
class Journal implements StateMachine<number> {
  commands: string[] = [];
  restores = 0;

  apply({ command }: CommittedCommand): number {
    return this.commands.push(Buffer.from(command).toString());
  }
  snapshot(): Iterable<Uint8Array> {
    return this.commands.map((command) => Buffer.from(`${command}\n`));
  }
  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const all: Uint8Array[] = [];
    for await (const chunk of chunks) all.push(chunk);
    this.restores += 1;
    this.commands = Buffer.concat(all).toString().split('\n').slice(0, -1);
  }
}

/** Frames between the members of one process, over the event loop. */
class Switchboard {
  readonly #receivers = new Map<MemberId, RaftReceiver>();
  readonly cut = new Set<MemberId>();
  /** Whose the transport says that frames of a member are. */
  readonly disguises = new Map<MemberId, MemberId>();

  transport(seat: MemberId): RaftTransport {
    return {
      send: (to, messages) => {
        for (const frame of encodeFrames(messages, 1)) this.#carry(seat, to, frame);
      },
      introduce: (to, introduction) => {
        this.#carry(seat, to, encodeIntroduction(introduction));
      },
      receive: (receiver) => this.#receivers.set(seat, receiver),
      isThere: (other) => Promise.resolve(this.#receivers.has(other)),
      close: () => this.#receivers.delete(seat),
    };
  }

  #carry(from: MemberId, to: MemberId, frame: Uint8Array): void {
    if (this.cut.has(from) || this.cut.has(to)) return;
    const decoded = decodeFrame(frame);
    setImmediate(() => {
      if (decoded.kind === 'messages')
        this.#receivers.get(to)?.messages(decoded.messages, this.disguises.get(from) ?? from);
      if (decoded.kind === 'introduction') this.#receivers.get(to)?.introduction(decoded.introduction);
    });
  }
}

interface Member {
  readonly id: MemberId;
  node: RaftNode<number>;
  journal: Journal;
  readonly events: RaftNodeEvent[];
}

class Group {
  readonly switchboard = new Switchboard();
  readonly members = new Map<MemberId, Member>();
  /** Whom those that found a group have waited for, one after the other. */
  readonly awaited: { readonly by: MemberId; readonly seats: readonly MemberId[] }[] = [];
  readonly #root = mkdtempSync(join(tmpdir(), 'raft-node-'));
  readonly #ids: readonly MemberId[];
  readonly #settings: Partial<RaftSettings>;

  constructor(size: number, settings: Partial<RaftSettings> = {}) {
    this.#ids = Array.from({ length: size }, (_, i) => i + 1);
    this.#settings = { tickMs: 10, ...settings };
  }

  async startAll(): Promise<void> {
    await Promise.all(this.#ids.map((id) => this.start(id)));
  }
  directory(id: MemberId): string {
    return join(this.#root, String(id));
  }
  identity(id: MemberId): unknown {
    const [line] = readFileSync(join(this.directory(id), 'identity'), 'utf8').split('\n');
    return JSON.parse(line ?? '');
  }
  async start(id: MemberId, bootstrap: 'new-cluster' | 'join' | null = 'new-cluster'): Promise<Member> {
    const journal = new Journal();
    const events: RaftNodeEvent[] = [];
    const node = await startRaftNode({
      cluster: 'local',
      seat: id,
      seats: this.#ids,
      bootstrap,
      directory: this.directory(id),
      log: await openLogStorage({ directory: this.directory(id) }),
      stateMachine: journal,
      transport: this.switchboard.transport(id),
      onEvent: (event) => {
        events.push(event);
        if (event.kind === 'foundersAwaited') this.awaited.push({ by: id, seats: event.seats });
      },
      settings: this.#settings,
    });
    const member = { id, node, journal, events };
    this.members.set(id, member);
    return member;
  }
  async stop(id: MemberId): Promise<void> {
    await this.member(id).node.stop();
    this.members.delete(id);
  }
  member(id: MemberId): Member {
    const member = this.members.get(id);
    if (member === undefined) throw new Error(`member ${String(id)} is not running`);
    return member;
  }
  leader(): Promise<Member> {
    return eventually(() => [...this.members.values()].find(({ node }) => node.status().leading));
  }
  async follower(): Promise<Member> {
    const leader = await this.leader();
    return eventually(() =>
      [...this.members.values()].find(
        ({ node }) => node !== leader.node && node.status().leader === leader.id,
      ),
    );
  }
  async end(): Promise<void> {
    await Promise.all([...this.members.values()].map(({ node }) => node.stop()));
    rmSync(this.#root, { recursive: true });
  }
}

async function eventually<T>(probe: () => T | undefined | false): Promise<T> {
  let found: T | undefined | false;
  const isFound = (): boolean => {
    found = probe();
    return found !== undefined && found !== false;
  };
  await until('what is awaited', isFound, { timeoutMs: PATIENCE_MS, everyMs: 5 });
  return found as T;
}

const command = (text: string): Uint8Array => Buffer.from(text);

describe('a Raft node', () => {
  let group: Group;
  afterEach(() => group.end());

  it('takes nothing from a seat that speaks for another', async () => {
    group = new Group(3);
    await group.startAll();
    const leader = await group.leader();
    const follower = await group.follower();
    const isRefusal = (event: RaftNodeEvent): boolean =>
      event.kind === 'frameRefused' && event.reason === 'seat 9 speaks for another';
    expect(follower.events.some(isRefusal)).toBe(false);
    group.switchboard.disguises.set(leader.id, 9);
    await eventually(() => follower.events.some(isRefusal));
  });

  it('applies what is proposed at the leader and at followers, everywhere and in one order', async () => {
    group = new Group(3, UNHURRIED);
    await group.startAll();
    const follower = await group.follower();
    const leader = await group.leader();
    const outcomes = await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        (i % 2 === 0 ? leader : follower).node.propose(command(`c${String(i)}`), PATIENCE_MS),
      ),
    );
    expect(new Set(outcomes.map(({ kind }) => kind))).toEqual(new Set(['applied']));
    const results = outcomes.map((outcome) => (outcome.kind === 'applied' ? outcome.result : 0));
    expect([...results].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
    // A follower may apply what is committed before the leader does.
    const journals = [...group.members.values()].map(({ journal }) => journal);
    await eventually(() => journals.every(({ commands }) => commands.length === 100));
    for (const { commands } of journals) expect(commands).toEqual(leader.journal.commands);
  });

  it('lets a follower read what was acknowledged before', async () => {
    group = new Group(3);
    await group.startAll();
    const leader = await group.leader();
    const follower = await group.follower();
    await leader.node.propose(command('written'), PATIENCE_MS);
    const barrier = await follower.node.readBarrier(5_000);
    expect(barrier.kind).toBe('ready');
    expect(follower.journal.commands).toEqual(['written']);
  });

  it('elects another leader, keeps what was acknowledged, and catches the old one up', async () => {
    group = new Group(3);
    await group.startAll();
    const first = await group.leader();
    await first.node.propose(command('before'), PATIENCE_MS);
    group.switchboard.cut.add(first.id);
    const second = await eventually(() =>
      [...group.members.values()].find(({ id, node }) => id !== first.id && node.status().leading),
    );
    expect(await first.node.readBarrier(100)).toEqual({ kind: 'unavailable' });
    expect(await second.node.propose(command('after'), PATIENCE_MS)).toMatchObject({
      kind: 'applied',
      result: 2,
    });
    group.switchboard.cut.clear();
    await eventually(() => first.journal.commands.length === 2);
    expect(first.journal.commands).toEqual(['before', 'after']);
  });

  it('answers honestly when a leader is cut off: its proposal is unknown, or surely not done', async () => {
    group = new Group(3);
    await group.startAll();
    const leader = await group.leader();
    group.switchboard.cut.add(leader.id);
    const waiting = leader.node.propose(command('lost'), 10_000);
    expect(await leader.node.propose(command('unknown'), 50)).toEqual({ kind: 'outcomeUnknown' });
    await eventually(() =>
      [...group.members.values()].find(({ id, node }) => id !== leader.id && node.status().leading),
    );
    group.switchboard.cut.clear();
    // The entry of the next term shows that it was overtaken.
    expect(await waiting).toEqual({ kind: 'unavailable' });
    expect(leader.journal.commands).toEqual([]);
  });

  it('refuses a second node on the same directory', async () => {
    group = new Group(1);
    await group.startAll();
    await expect(group.start(1)).rejects.toMatchObject({ code: 'LOG_IN_USE' });
  });

  it('restarts from snapshot and log', async () => {
    group = new Group(1, { snapshotEveryEntries: 10, trailingEntries: 2 });
    await group.startAll();
    const { node, events } = group.member(1);
    for (let i = 0; i < 25; i++) await node.propose(command(String(i)), PATIENCE_MS);
    await eventually(() => events.some(({ kind }) => kind === 'snapshotTaken'));
    await group.stop(1);
    const again = await group.start(1);
    await eventually(() => again.journal.commands.length === 25);
    expect(again.journal.restores).toBe(1);
    expect(again.journal.commands).toEqual(Array.from({ length: 25 }, (_, i) => String(i)));
  });

  it('catches a member up by a snapshot when the log is gone, and that member restarts from it', async () => {
    group = new Group(3, { ...UNHURRIED, snapshotEveryEntries: 20, trailingEntries: 0 });
    await group.startAll();
    const behind = await group.follower();
    await group.stop(behind.id);
    const leader = await group.leader();
    for (let i = 0; i < 50; i++) await leader.node.propose(command(String(i)), PATIENCE_MS);
    await eventually(() => leader.node.status().snapshotIndex >= 40);
    const again = await group.start(behind.id);
    await eventually(() => again.journal.commands.length === 50);
    expect(again.journal.restores).toBe(1);
    await group.stop(behind.id);
    const third = await group.start(behind.id);
    await eventually(() => [third, leader].every(({ journal }) => journal.commands.length === 50));
    expect(third.journal.commands).toEqual(leader.journal.commands);
  });

  it('ends where it is to send a snapshot that is not what was written, and lets its log go', async () => {
    group = new Group(3, { ...UNHURRIED, snapshotEveryEntries: 20, trailingEntries: 0 });
    await group.startAll();
    const leader = await group.leader();
    const follower = await group.follower();
    await group.stop(follower.id);
    for (let i = 0; i < 50; i++) await leader.node.propose(command(`c${String(i)}`), PATIENCE_MS);
    await eventually(() => leader.node.status().snapshotIndex >= 40);
    const directory = group.directory(leader.id);
    const path = join(
      directory,
      readdirSync(directory).findLast((name) => name.endsWith('.snapshot'))!,
    );
    const bytes = readFileSync(path);
    const at = bytes.indexOf('c3');
    bytes[at] = bytes[at]! ^ 1;
    writeFileSync(path, bytes);
    const ended = expect(leader.node.stopped).rejects.toMatchObject({
      code: 'LOG_CORRUPT',
      details: { file: path },
    });
    await group.start(follower.id);
    await ended;
    group.members.delete(leader.id);
    const isFree = async (): Promise<boolean> => {
      try {
        await (await openLogStorage({ directory })).storage.close();
        return true;
      } catch (error) {
        expect(error).toMatchObject({ code: 'LOG_IN_USE' });
        return false;
      }
    };
    while (!(await isFree()));
  });

  it('hands leadership over when it stops, without an election time-out', async () => {
    group = new Group(3, { tickMs: 20 });
    await group.startAll();
    const leader = await group.leader();
    let isLeading = false;
    leader.node.onLeadership(({ leading }) => {
      isLeading = leading;
    });
    expect(isLeading).toBe(true);
    await group.stop(leader.id);
    expect(isLeading).toBe(false);
    expect((await group.leader()).id).not.toBe(leader.id);
    const campaigns = [...group.members.values()].flatMap(({ events }) => events.slice(-20));
    const forced = campaigns.filter((event) => event.kind === 'candidacy').at(-1);
    expect(forced).toMatchObject({ preVote: false });
  });
});

describe('a group of Raft nodes that changes', () => {
  let group: Group;
  afterEach(() => group.end());

  type Kind = 'add' | 'promote' | 'remove' | 'replace';
  async function change(kind: Kind, seat: MemberId): Promise<MemberChangeOutcome> {
    const { node } = await group.leader();
    return node.changeMembers({ kind, seat, isPromotedItself: true, ifIndex: null }, PATIENCE_MS);
  }
  async function votersAre(seats: readonly MemberId[]): Promise<void> {
    const { node } = await group.leader();
    const voters = (): MemberId[] => node.group().configuration.voters.map(({ seat }) => seat);
    await eventually(() => voters().sort().join() === seats.join());
  }
  async function applies(seat: MemberId): Promise<void> {
    const { node } = await group.leader();
    await eventually(() => node.group().applicants.some((applicant) => applicant.seat === seat));
  }

  it('lets a coordinator in that asks for it, keeps it across a restart, and lets it go for ever', async () => {
    group = new Group(3, UNHURRIED);
    await group.startAll();
    await (await group.leader()).node.propose(command('before'), PATIENCE_MS);
    expect(await change('add', 4)).toMatchObject({ kind: 'refused', refusal: { reason: 'noApplicant' } });
    const joined = await group.start(4, 'join');
    expect(joined.node.status().leader).toBe(0);
    await applies(4);
    expect(await change('add', 4)).toMatchObject({ kind: 'done' });
    await votersAre([1, 2, 3, 4]);
    await eventually(() => joined.journal.commands.join() === 'before');
    expect(await change('add', 4)).toMatchObject({ kind: 'refused', refusal: { reason: 'seatTaken' } });
    await group.stop(4);
    const again = await group.start(4, null);
    expect(await again.node.propose(command('after'), PATIENCE_MS)).toMatchObject({ kind: 'applied' });
    expect(await change('remove', 4)).toMatchObject({ kind: 'done' });
    await expect(again.node.stopped).rejects.toMatchObject({ code: 'MEMBER_REMOVED' });
    group.members.delete(4);
    // Heard a moment ago, and out for ever.
    expect((await group.leader()).node.group().applicants).toEqual([]);
  });

  it('ends who is removed, also when it is started again, and goes on without it', async () => {
    group = new Group(3, UNHURRIED);
    await group.startAll();
    const { id, node } = await group.follower();
    const { node: leader } = await group.leader();
    // Else it cannot know that the other two are there.
    await eventually(() => leader.group().progress.every(({ match }) => match > 0));
    expect(await change('remove', id)).toMatchObject({ kind: 'done' });
    await expect(node.stopped).rejects.toMatchObject({ code: 'MEMBER_REMOVED' });
    group.members.delete(id);
    const again = await group.start(id);
    group.members.delete(id);
    await expect(again.node.stopped).rejects.toMatchObject({ code: 'MEMBER_REMOVED' });
    const outcome = await (await group.leader()).node.propose(command('goes on'), PATIENCE_MS);
    expect(outcome).toMatchObject({ kind: 'applied' });
  });

  it('replaces a coordinator that has lost its disk, by one request', async () => {
    group = new Group(3, UNHURRIED);
    await group.startAll();
    const { id } = await group.follower();
    await group.stop(id);
    rmSync(group.directory(id), { recursive: true });
    const before = (await group.leader()).node.group().configuration.voters.find(({ seat }) => seat === id)!;
    // It is told to found a cluster first, as it was once, and is refused.
    await expect(group.start(id)).rejects.toMatchObject({ code: 'LOG_MISSING' });
    await group.start(id, 'join');
    await applies(id);
    expect(await change('replace', id)).toMatchObject({ kind: 'done' });
    const { node } = await group.leader();
    await eventually(() => node.group().configuration.removed.includes(before.id));
    await votersAre([1, 2, 3]);
  });
});

/** Its segments as they were written before there were identities. */
function asOfFirstVersion(directory: string): void {
  for (const name of readdirSync(directory)) {
    if (!name.endsWith('.log')) continue;
    const bytes = readFileSync(join(directory, name));
    // Its header was shorter by what it did not say.
    const old = Buffer.alloc(bytes.length);
    bytes.copy(old, 0, 0, 28);
    old.writeUInt32LE(1, 8);
    old.writeUInt32LE(crc32(old.subarray(0, 28)), 28);
    bytes.copy(old, 32, 48);
    writeFileSync(join(directory, name), old);
  }
}

describe('a Raft node that has lost its disk', () => {
  let group: Group;
  afterEach(() => group.end());

  async function stopAndLose(id: MemberId): Promise<void> {
    await group.stop(id);
    rmSync(group.directory(id), { recursive: true });
  }

  it('is refused without the word that founds a cluster, and makes no log that could pass for one', async () => {
    group = new Group(3);
    await group.startAll();
    const follower = await group.follower();
    await stopAndLose(follower.id);
    for (let attempt = 0; attempt < 2; attempt++) {
      await expect(group.start(follower.id, null)).rejects.toMatchObject({
        code: 'LOG_MISSING',
        message: expect.stringContaining('leave this coordinator stopped') as unknown,
      });
    }
  });

  it('is refused with the word too: the others know the member that was in its place', async () => {
    group = new Group(3);
    await group.startAll();
    const follower = await group.follower();
    await stopAndLose(follower.id);
    const knownId = (group.identity((await group.leader()).id) as LogIdentity).founders![follower.id - 1]!.id;
    await expect(group.start(follower.id)).rejects.toMatchObject({
      code: 'LOG_MISSING',
      details: { seat: follower.id, knownId },
    });
    const { node } = await group.leader();
    expect(await node.propose(command('goes on'), PATIENCE_MS)).toMatchObject({ kind: 'applied' });
  });

  it('founds nothing with another one, while the third that knows better is away', async () => {
    group = new Group(3);
    await group.startAll();
    const leader = await group.leader();
    const lost = [1, 2, 3].filter((id) => id !== leader.id);
    for (const id of lost) await stopAndLose(id);
    await group.stop(leader.id);
    const refusals = lost.map((id) => group.start(id).then(String, (error: unknown) => error));
    const awaitsOnly = (id: MemberId): boolean =>
      group.awaited.some(({ by, seats }) => by === id && seats.join() === String(leader.id));
    await eventually(() => lost.every(awaitsOnly));
    await group.start(leader.id);
    expect(await Promise.all(refusals)).toMatchObject(lost.map(() => ({ code: 'LOG_MISSING' })));
  });

  it('is not taken for itself where its log was removed and its identity left', async () => {
    group = new Group(1);
    await group.startAll();
    await group.leader();
    await group.stop(1);
    for (const name of readdirSync(group.directory(1))) {
      if (name.endsWith('.log')) unlinkSync(join(group.directory(1), name));
    }
    await expect(group.start(1)).rejects.toMatchObject({ code: 'LOG_MISSING' });
  });

  it('does not take the place of another: a directory belongs to one seat of one group', async () => {
    group = new Group(3);
    await group.startAll();
    await group.stop(1);
    await group.stop(2);
    renameSync(group.directory(2), join(group.directory(1), 'saved'));
    renameSync(group.directory(1), group.directory(2));
    await expect(group.start(2)).rejects.toMatchObject({ code: 'LOG_FOREIGN' });
  });

  it('is refused without its identity, also where it has voted for nobody', async () => {
    group = new Group(1);
    const { storage } = await openLogStorage({ directory: group.directory(1) });
    await storage.append({ hardState: { term: 3, vote: 0, commit: 0 }, entries: [], snapshot: null });
    await storage.close();
    await expect(group.start(1)).rejects.toMatchObject({ code: 'LOG_CORRUPT' });
    await expect(group.start(1, null)).rejects.toMatchObject({ code: 'LOG_CORRUPT' });
    expect(readdirSync(group.directory(1))).not.toContain('identity');
  });

  it('is no loss where the log is of before there were ids: seats remain its ids', async () => {
    group = new Group(1);
    await group.startAll();
    await (await group.leader()).node.propose(command('old'), PATIENCE_MS);
    await group.stop(1);
    unlinkSync(join(group.directory(1), 'identity'));
    asOfFirstVersion(group.directory(1));
    const again = await group.start(1, null);
    await eventually(() => again.journal.commands.length === 1);
    expect(group.identity(1)).toMatchObject({ id: 1, founders: [{ seat: 1, id: 1 }], isBegun: true });
  });
});
