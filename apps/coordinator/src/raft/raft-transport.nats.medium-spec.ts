import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { subjects, type WireVersion } from '@ringleader/contracts';
import { UNLOGGED, connectNats, type NatsLink } from '@ringleader/nats';
import type { Introduction, Message } from '@ringleader/raft';
import { startNatsServer, type TestServer, until } from '@ringleader/testing-servers';
import type { RaftReceiver } from './raft-node.js';
import { NatsRaftTransport } from './raft-transport.nats.js';

const wait = { timeoutMs: 10_000, everyMs: 10 };

describe('Raft over NATS', () => {
  let directory: string;
  let server: TestServer;
  let link: NatsLink;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'raft-transport-'));
    server = await startNatsServer({ dir: directory });
    link = await connectNats({ servers: [server.url], name: 'raft-transport' }, UNLOGGED);
  }, 60_000);
  afterAll(async () => {
    await link.close();
    await server.stop();
    rmSync(directory, { recursive: true });
  });

  const heartbeat = (to: number, readRound: number): Message => ({
    kind: 'heartbeat',
    from: 1,
    to,
    term: 3,
    commit: 2,
    readRound,
  });

  const receiver = (some: Partial<RaftReceiver>): RaftReceiver => ({
    messages: () => undefined,
    introduction: () => undefined,
    malformed: () => undefined,
    ...some,
  });

  it('brings each member its own messages, in order, and those of one turn together', async () => {
    const received: Message[][] = [];
    const two = new NatsRaftTransport(link, 'local', 2);
    two.receive(receiver({ messages: (messages) => received.push([...messages]) }));
    const one = new NatsRaftTransport(link, 'local', 1);
    one.send(2, [heartbeat(2, 1), heartbeat(2, 2)]);
    one.send(3, [heartbeat(3, 9)]);
    one.send(2, [heartbeat(2, 3)]);
    await until('all of it', () => received.flat().length === 3, wait);
    expect(received).toEqual([[heartbeat(2, 1), heartbeat(2, 2)], [heartbeat(2, 3)]]);
    two.close();
  });

  it('carries what is larger than a frame', async () => {
    const entries = Array.from({ length: 5 }, (_, i) => ({
      index: i + 1,
      term: 1,
      kind: 1 as const,
      data: new Uint8Array(1024 * 1024).fill(i),
    }));
    const append: Message = {
      kind: 'append',
      from: 1,
      to: 2,
      term: 1,
      prevIndex: 0,
      prevTerm: 0,
      entries,
      commit: 0,
    };
    const received: Message[] = [];
    const two = new NatsRaftTransport(link, 'local', 2);
    two.receive(receiver({ messages: (messages) => received.push(...messages) }));
    new NatsRaftTransport(link, 'local', 1).send(2, [append, heartbeat(2, 1)]);
    await until('all of it', () => received.length === 2, wait);
    expect(received.map(({ kind }) => kind)).toEqual(['append', 'heartbeat']);
    const arrived = received[0]?.kind === 'append' ? received[0].entries : [];
    // Compared as bytes: the matcher takes seconds for a megabyte.
    const areEqual = arrived.map(({ data }, i) => Buffer.from(data).equals(entries[i]!.data));
    expect(areEqual).toEqual([true, true, true, true, true]);
    two.close();
  });

  it('brings introductions, to whoever receives by then', async () => {
    const introduction: Introduction = { seat: 1, id: 77, founders: null, isBegun: false, isQuestion: true };
    const received: Introduction[] = [];
    const two = new NatsRaftTransport(link, 'local', 2);
    two.receive(receiver({ introduction: () => received.push({ ...introduction, id: 0 }) }));
    two.receive(receiver({ introduction: (heard) => received.push(heard) }));
    new NatsRaftTransport(link, 'local', 1).introduce(2, introduction);
    await until('it', () => received.length > 0, wait);
    expect(received).toEqual([introduction]);
    two.close();
  });

  it('throws away what is no frame, and says so', async () => {
    const refused: string[] = [];
    const two = new NatsRaftTransport(link, 'local', 2);
    two.receive(receiver({ malformed: (reason) => refused.push(reason) }));
    const speaker = { service: 'coordinator', member: 1 } as const;
    link.publish(subjects.raft.from('local', speaker, 2), new Uint8Array([7, 7, 7]));
    await until('a refusal', () => refused.length === 1, wait);
    expect(refused).toEqual(['version 7']);
    two.close();
  });

  it('speaks with a member of the previous version as that understands it, until it is replaced', async () => {
    const connectAs = (wireVersion: WireVersion): Promise<NatsLink> =>
      connectNats({ servers: [server.url], name: 'old', wireVersion }, UNLOGGED);
    const received: number[] = [];
    const answering = (to: number, transport: NatsRaftTransport): NatsRaftTransport => {
      transport.receive(
        receiver({
          messages: ([message]) => {
            const round = message?.kind === 'heartbeat' ? message.readRound : 0;
            received.push(round);
            if (round < 40) transport.send(to, [{ ...heartbeat(to, round + 1), from: 3 - to }]);
          },
        }),
      );
      return transport;
    };
    const sealed: boolean[] = [];
    link.connection.subscribe(subjects.raft.to('old', 2), {
      callback: (_, { data }) => {
        sealed.push(data[0]! >= 0xf0);
      },
    });
    const one = answering(2, new NatsRaftTransport(link, 'old', 1));
    const old = await connectAs(1);
    const two = answering(1, new NatsRaftTransport(old, 'old', 2));
    // What is sent before the server knows of the subscription is lost, as it may be.
    await old.connection.flush();
    one.send(2, [heartbeat(2, 31)]);
    await until('ten rounds', () => received.length === 10, wait);
    expect([received.length, sealed.includes(true)]).toEqual([10, false]);
    two.close();
    await old.close();

    const present = await connectAs(2);
    const successor = answering(1, new NatsRaftTransport(present, 'old', 2));
    await present.connection.flush();
    one.send(2, [heartbeat(2, 31)]);
    await until('ten more', () => received.length === 20, wait);
    expect(sealed.at(-1)).toBe(true);
    const speaker = { service: 'coordinator', member: 2 } as const;
    link.publish(subjects.raft.from('old', speaker, 1), new Uint8Array([7]));
    await link.connection.flush();
    const before = sealed.length;
    one.send(2, [heartbeat(2, 40)]);
    await until('the next frame', () => sealed.length > before, wait);
    expect(sealed.at(-1)).toBe(true);
    successor.close();
    await present.close();

    const back = await connectAs(1);
    const older = answering(1, new NatsRaftTransport(back, 'old', 2));
    await back.connection.flush();
    one.send(2, [heartbeat(2, 40)]);
    await until('a frame that it does not understand', () => back.frames.refused.size > 0, wait);
    expect([...back.frames.refused]).toEqual([['raft version', 1]]);
    // A bare frame takes back what sealed ones said only when none has come for a while: it goes on saying so.
    const isSpokenTo = (): boolean => {
      older.send(1, [{ ...heartbeat(1, 39), from: 2 }]);
      return sealed.at(-1) === false && received.at(-1) === 40;
    };
    await until('it is spoken to as it understands', isSpokenTo, wait);
    one.close();
    older.close();
    await back.close();
  }, 30_000);

  it('tells whose it is, and takes no introduction of another', async () => {
    const seats: number[] = [];
    const refused: string[] = [];
    const two = new NatsRaftTransport(link, 'local', 2);
    two.receive(
      receiver({
        messages: (_, from) => seats.push(from),
        introduction: () => seats.push(0),
        malformed: (reason) => refused.push(reason),
      }),
    );
    const three = new NatsRaftTransport(link, 'local', 3);
    three.introduce(2, { seat: 1, id: 77, founders: null, isBegun: false, isQuestion: true });
    three.send(2, [heartbeat(2, 1)]);
    await until('the messages', () => seats.length > 0, wait);
    expect([seats, refused]).toEqual([[3], ['seat 3 introduces another']]);
    two.close();
  });

  it('knows who is there', async () => {
    const one = new NatsRaftTransport(link, 'there', 1);
    expect(await one.isThere(2)).toBe(false);
    const two = link.connection.subscribe(subjects.ask.to('there', 2, 'calls'), {
      callback: () => undefined,
    });
    await link.connection.flush();
    expect(await one.isThere(2)).toBe(true);
    two.unsubscribe();
    await link.connection.flush();
    expect(await one.isThere(2)).toBe(false);
  });

  it('sends nothing while it is not connected, and nothing late', async () => {
    const received: Message[] = [];
    const two = new NatsRaftTransport(link, 'local', 2);
    two.receive(receiver({ messages: (messages) => received.push(...messages) }));
    const one = new NatsRaftTransport(link, 'local', 1);
    await server.stop();
    await until('the loss', () => !link.isConnected, wait);
    for (let round = 1; round <= 100; round += 1) one.send(2, [heartbeat(2, round)]);
    await server.restart();
    await until('the way back', () => link.isConnected, wait);
    one.send(2, [heartbeat(2, 101)]);
    await until('the new one', () => received.length > 0, wait);
    expect(received).toEqual([heartbeat(2, 101)]);
    two.close();
    await link.close();
    link = await connectNats({ servers: [server.url], name: 'raft-transport' }, UNLOGGED);
  }, 30_000);
});
