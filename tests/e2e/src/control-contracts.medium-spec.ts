/**
 * Sends every control contract from the real client to the real server, over a real nats-server.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  CONTENT_AT,
  OperationalError,
  SERVICES,
  coordinatorContracts,
  inboxPrefix,
  mayAsk,
  sealFrame,
  subjects,
} from '@ringleader/contracts';
import type { CoordinatorOperation, MessageContract, Service, Speaker } from '@ringleader/contracts';
import { ControlClient, ControlServer, UNLOGGED, connectNats } from '@ringleader/nats';
import type { ControlOutcome, NatsLink } from '@ringleader/nats';
import { startNatsServer, until } from '@ringleader/testing-servers';
import { controlFixtures } from './control-contracts.fixtures.js';

const operations = Object.keys(coordinatorContracts) as CoordinatorOperation[];
type SubscriptionOptions = NonNullable<Parameters<NatsLink['connection']['subscribe']>[1]>;
type Msg = Parameters<NonNullable<SubscriptionOptions['callback']>>[1];
type Subscription = ReturnType<NatsLink['connection']['subscribe']>;

const SPEAKER = { service: 'gateway', member: 'gateway-1' } as const;
const subjectOf = (operation: string, speaker: Speaker = SPEAKER): string =>
  subjects.ask.from('test', speaker, 1, operation);

const failing = { ...coordinatorContracts.status, operation: 'failing' };
const silent = { ...coordinatorContracts.status, operation: 'silent' };
const tooLong: MessageContract = { ...coordinatorContracts.status, operation: 'tooLong' };
const broken = { ...coordinatorContracts.status, operation: 'broken' };

describe('control contracts over NATS', () => {
  let nats: Awaited<ReturnType<typeof startNatsServer>>;
  let dir: string;
  let link: NatsLink;
  let client: ControlClient;
  let server: ControlServer;
  const received = new Map<string, unknown>();
  const unexpected: string[] = [];

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'ringleader-contracts-'));
    nats = await startNatsServer({ dir });
    link = await connectNats({ servers: [nats.url], name: 'contracts' }, UNLOGGED);
    server = new ControlServer({
      link,
      cluster: 'test',
      member: 1,
      onUnexpectedError: (operation) => unexpected.push(operation),
    });
    for (const operation of operations) {
      server.handle<MessageContract>(coordinatorContracts[operation], (request, speaker) => {
        received.set(operation, { request, speaker });
        return Promise.resolve(controlFixtures[operation].response);
      });
    }
    server.handle(failing, () =>
      Promise.reject(new OperationalError('NOT_LEADER', 'Ask member 2', { leader: 2 })),
    );
    server.handle(silent, () => new Promise<never>(() => undefined));
    server.handle(tooLong, () => Promise.resolve({ text: 'x'.repeat(9_000_000) }));
    server.handle(broken, () => Promise.reject(new Error('a bug')));
    await new Promise<void>((resolve, reject) => {
      void server.listen((error) => {
        if (error === undefined) resolve();
        else reject(new Error('the control server does not listen', { cause: error }));
      });
    });
    client = new ControlClient(link);
  });

  afterAll(async () => {
    await client.close();
    await server.close();
    await link.close();
    await nats.stop();
    await rm(dir, { recursive: true });
  });

  it.each(operations)('carries %s both ways unchanged', async (operation) => {
    const { request, response } = controlFixtures[operation];
    const contract: MessageContract = coordinatorContracts[operation];
    const speaker = { service: contract.askers[0] as Service, member: 'member-1' };
    const outcome = await client.call(contract, subjectOf(operation, speaker), request);
    expect(outcome).toEqual({ kind: 'answered', response });
    expect(received.get(operation)).toEqual({ request, speaker });
  });

  it('answers who has asked, and says nothing elsewhere for anybody', async () => {
    const [own, others] = [SPEAKER, { service: 'shard', member: 'shard-1' } as const].map((speaker) =>
      inboxPrefix('test', speaker),
    );
    const raft = subjects.raft.from('test', { service: 'coordinator', member: 1 }, 2);
    const heard: string[] = [];
    const listening = ['_INBOX.rl.>', raft].map((subject) =>
      link.connection.subscribe(subject, { callback: (_error, message) => void heard.push(message.subject) }),
    );
    const alone = JSON.stringify({ id: '1', data: {} });
    const frame = sealFrame(Buffer.concat([Buffer.alloc(CONTENT_AT), Buffer.from('[]')]));
    for (const reply of [raft, `${others}.x.1`, `${own}x.1`, `${own}.x.1`]) {
      link.connection.publish(subjectOf('status'), alone, { reply });
      link.connection.publish(subjectOf('calls'), frame, { reply });
    }
    await until('the answers', () => heard.length >= 2, { timeoutMs: 5_000, everyMs: 10 });
    for (const one of listening) one.unsubscribe();
    expect(heard).toEqual([`${own}.x.1`, `${own}.x.1`]);
  });

  it('does nothing for whom it does not know for a service, and goes on', async () => {
    const { refused } = link.frames;
    const before = refused.get('ask misattributed') ?? 0;
    const subject = (operation: string): string => `rl.test.stranger.x.ask.1.${operation}`;
    const frame = sealFrame(Buffer.concat([Buffer.alloc(CONTENT_AT), Buffer.from('[]')]));
    received.delete('status');
    link.connection.publish(subject('calls'), frame, { reply: '_INBOX.x.1' });
    link.connection.publish(subject('status'), JSON.stringify({ id: '1', data: {} }), {
      reply: '_INBOX.x.1',
    });
    const isRefused = (): boolean => refused.get('ask misattributed') === before + 2;
    await until('both are dropped', isRefused, { timeoutMs: 5_000, everyMs: 10 });
    expect(received.has('status')).toBe(false);
    expect(link.counts.disconnects).toBe(0);
  });

  it.each(operations)('lets nobody ask for %s whom its contract does not name', async (operation) => {
    const { request } = controlFixtures[operation];
    const contract: MessageContract = coordinatorContracts[operation];
    for (const service of SERVICES) {
      const subject = subjectOf(operation, { service, member: 'member-1' });
      received.delete(operation);
      const outcome = await client.call(contract, subject, request);
      const alone = await link.connection.request(subject, JSON.stringify({ id: '1', data: request }));
      const answers = [outcome, alone.json<{ response: unknown }>().response];
      const isAsker = contract.askers.includes(service);
      expect([service, mayAsk(contract, { service }), received.has(operation)]).toEqual([
        service,
        isAsker,
        isAsker,
      ]);
      for (const answer of answers) {
        if (isAsker) expect(answer).not.toHaveProperty('error');
        else expect(answer).toMatchObject({ error: { code: 'FORBIDDEN' } });
      }
    }
  });

  it('names what is wrong with a request', async () => {
    const outcome = await client.call(coordinatorContracts.leaseGrant, subjectOf('leaseGrant'), { ttlMs: 1 });
    expect(outcome).toMatchObject({
      kind: 'failed',
      error: { code: 'INVALID_ARGUMENT', details: { issues: [{ path: 'ttlMs' }] } },
    });
  });

  it('names some of what is wrong with a request where it is wrong in more places than an answer has room for', async () => {
    const wrong = Array.from({ length: 200_000 }, () => 0);
    const request = { compare: [], success: wrong, failure: [] } as never;
    const outcome = await client.call(coordinatorContracts.txn, subjectOf('txn'), request);
    expect(outcome).toMatchObject({
      kind: 'failed',
      error: { code: 'INVALID_ARGUMENT', details: { issuesInAll: wrong.length } },
    });
  });

  it('carries an operational error with its code and details', async () => {
    const outcome = await client.call(failing, subjectOf('failing'), {});
    expect(outcome).toMatchObject({ kind: 'failed', error: { code: 'NOT_LEADER', details: { leader: 2 } } });
  });

  it('reports an unexpected error in place and hides it from the caller', async () => {
    const outcome = await client.call(broken, subjectOf('broken'), {});
    expect(outcome).toMatchObject({ kind: 'failed', error: { code: 'INTERNAL' } });
    expect(unexpected.splice(0)).toEqual(['broken']);
  });

  it('says of a request that NATS would not take that it is too long, which no other member would change', async () => {
    const outcome = await client.call(coordinatorContracts.range, subjectOf('range'), {
      key: 'x'.repeat(9_000_000),
    });
    expect(outcome).toMatchObject({ kind: 'failed', error: { code: 'REQUEST_TOO_LARGE' } });
  });

  it('says of an answer that NATS would not take that it is too long, and goes on', async () => {
    const outcome = await client.call(tooLong, subjectOf('tooLong'), {});
    expect(outcome).toMatchObject({ kind: 'failed', error: { code: 'INTERNAL' } });
    const nest = await link.connection.request(
      subjectOf('tooLong'),
      JSON.stringify({ pattern: '', id: 'one', data: {} }),
      { timeout: 2_000 },
    );
    expect(nest.json()).toMatchObject({
      id: 'one',
      response: { kind: 'error', error: { code: 'INTERNAL' } },
    });
    expect(unexpected.splice(0)).toEqual(['tooLong', 'tooLong']);
  });

  it('tells "nobody is there" from "no answer in time"', async () => {
    const nobody = await client.call(
      coordinatorContracts.status,
      subjects.ask.from('test', SPEAKER, 9, 'status'),
      {},
    );
    expect(nobody).toMatchObject({ kind: 'failed', error: { code: 'UNAVAILABLE' } });
    const late = await client.call(silent, subjectOf('silent'), {}, { timeoutMs: 50 });
    expect(late).toMatchObject({ kind: 'failed', error: { code: 'DEADLINE_EXCEEDED' } });
  });

  describe('of one turn', () => {
    const status = (): Promise<unknown> => client.call(coordinatorContracts.status, subjectOf('status'), {});
    const answered = { kind: 'answered', response: controlFixtures.status.response };
    const textOf = (data: Uint8Array): string => Buffer.from(data).subarray(CONTENT_AT).toString();
    // What asks whether somebody is there carries no call, and goes whenever a call takes longer: on a busy machine, any may.
    const carriesCalls = (data: Uint8Array): boolean => textOf(data) !== '[]';
    const carriesAnswers = (data: Uint8Array): boolean => /^\[\[\d/.test(textOf(data));

    /** The ends of those that carry requests. */
    async function subjectsOf(work: () => Promise<unknown>): Promise<string[]> {
      const said: string[] = [];
      const listening = link.connection.subscribe('rl.>', {
        callback: (_error, { subject, data }) => {
          if (carriesCalls(data)) said.push(subject.split('.').slice(-2).join('.'));
        },
      });
      await link.connection.flush();
      await work();
      listening.unsubscribe();
      return said;
    }

    it('go in one message, and come back so, whatever one of them waits for', async () => {
      let slow: Promise<unknown> | undefined;
      let answers = 0;
      const listening = link.connection.subscribe('_INBOX.>', {
        callback: (_error, { data }) => {
          if (carriesAnswers(data)) answers += 1;
        },
      });
      const said = await subjectsOf(async () => {
        slow = client.call(silent, subjectOf('silent'), {}, { timeoutMs: 200 });
        const outcomes = await Promise.all(Array.from({ length: 100 }, status));
        expect(outcomes).toEqual(Array.from({ length: 100 }, () => answered));
      });
      listening.unsubscribe();
      expect([said, answers]).toEqual([['1.calls'], 1]);
      expect(await slow).toMatchObject({ error: { code: 'DEADLINE_EXCEEDED' } });
    });

    it('go one by one to a member of an older version', async () => {
      const asked: unknown[] = [];
      const response = { kind: 'response', response: controlFixtures.status.response };
      const older = link.connection.subscribe(subjects.ask.to('test', 2, 'status'), {
        callback: (_error, message) => {
          const { id, data } = message.json<{ id: string; data: unknown }>();
          asked.push(data);
          message.respond(JSON.stringify({ response, isDisposed: true, id }));
        },
      });
      await link.connection.flush();
      const subject = subjects.ask.from('test', SPEAKER, 2, 'status');
      const calls = [1, 2, 3].map(() => client.call(coordinatorContracts.status, subject, {}));
      expect(await Promise.all(calls)).toEqual([answered, answered, answered]);
      expect(asked).toEqual([{}, {}, {}]);
      // It is not asked for messages any more that it does not know.
      expect(await subjectsOf(() => client.call(coordinatorContracts.status, subject, {}))).toEqual([
        '2.status',
      ]);
      older.unsubscribe();
    });

    it('go in one message to a member that was not there before', async () => {
      const subject = subjects.ask.from('test', SPEAKER, 3, 'status');
      const call = (): Promise<unknown> => client.call(coordinatorContracts.status, subject, {});
      expect(await call()).toMatchObject({ error: { code: 'UNAVAILABLE' } });
      const late = new ControlServer({
        link,
        cluster: 'test',
        member: 3,
        onUnexpectedError: () => undefined,
      });
      late.handle(coordinatorContracts.status, () => controlFixtures.status.response);
      await new Promise<void>((resolve) => void late.listen(() => resolve()));
      await link.connection.flush();
      expect(await subjectsOf(async () => expect(await call()).toEqual(answered))).toEqual(['3.calls']);
      await late.close();
    });

    it('go in one message to a member that came while it was asked', async () => {
      const member = 4;
      const coming = new ControlServer({ link, cluster: 'test', member, onUnexpectedError: () => undefined });
      coming.handle(coordinatorContracts.status, () => controlFixtures.status.response);
      const first = link.connection.subscribe(subjects.ask.to('test', member, 'status'), {
        callback: (_error, message) => {
          first.unsubscribe();
          const { id } = message.json<{ id: string }>();
          const response = { kind: 'response', response: controlFixtures.status.response };
          void coming.listen(() => message.respond(JSON.stringify({ response, isDisposed: true, id })));
        },
      });
      await link.connection.flush();
      const subject = subjects.ask.from('test', SPEAKER, member, 'status');
      const call = (): Promise<unknown> => client.call(coordinatorContracts.status, subject, {});
      expect(await call()).toEqual(answered);
      await link.connection.flush();
      expect(await subjectsOf(async () => expect(await call()).toEqual(answered))).toEqual(['4.calls']);
      await coming.close();
    });

    describe('that are to begin in time', () => {
      const { status: contract } = coordinatorContracts;
      const frame = (text: string): Uint8Array => {
        const data = Buffer.alloc(CONTENT_AT + text.length);
        data.write(text, CONTENT_AT);
        return sealFrame(data);
      };
      const listen = (member: number, callback: (message: Msg) => void): Subscription =>
        link.connection.subscribe(subjects.ask.to('test', member, 'calls'), {
          callback: (_error, message) => callback(message),
        });
      const call = (
        member: number,
        timeoutMs: number,
        beginsInTime = true,
      ): Promise<ControlOutcome<unknown>> =>
        client.call(
          contract,
          subjects.ask.from('test', SPEAKER, member, 'status'),
          {},
          {
            ...{ timeoutMs, beginsInTime },
          },
        );

      it('do not begin later, however long they lie before the member', async () => {
        let heldMs = 0;
        // Stands for member 1 that is stopped: what has come lies there until it goes on.
        const stopped = listen(6, ({ data, reply }) => {
          const pass = (): void =>
            link.connection.publish(subjects.ask.from('test', SPEAKER, 1, 'calls'), data, { reply: reply! });
          if (heldMs === 0 || textOf(data) === '[]') pass();
          else setTimeout(pass, heldMs);
        });
        await link.connection.flush();
        expect(await call(6, 2_000)).toEqual(answered);
        heldMs = 300;
        const begins = async (beginsInTime: boolean): Promise<boolean> => {
          received.clear();
          expect(await call(6, 150, beginsInTime)).toMatchObject({ error: { code: 'DEADLINE_EXCEEDED' } });
          await pause(2 * heldMs);
          return received.has('status');
        };
        expect([await begins(false), await begins(true)]).toEqual([true, false]);
        stopped.unsubscribe();
      });

      it('are not sent to one that does not say what time it is', async () => {
        const said: string[] = [];
        const silentOne = listen(6, ({ data }) => said.push(textOf(data)));
        await link.connection.flush();
        expect(await call(6, 100)).toMatchObject({ error: { code: 'UNAVAILABLE' } });
        expect(said).toEqual(['[]']);
        silentOne.unsubscribe();
      });

      it('are sent as ever to one of an earlier version, which does not know of it', async () => {
        const said: string[] = [];
        const older = listen(6, (message) => {
          said.push(textOf(message.data));
          if (said.length === 1) message.respond(frame('[]'));
        });
        await link.connection.flush();
        expect(await call(6, 100)).toMatchObject({ error: { code: 'DEADLINE_EXCEEDED' } });
        expect(said[1]).toMatch(/^\[\[\d+,"status",\{\}\]\]$/);
        older.unsubscribe();
      });
    });

    describe('to a member that ends, and is there again soon', () => {
      const subject = subjects.ask.from('test', SPEAKER, 5, 'silent');
      const ended = { error: { message: expect.stringMatching('has ended') as unknown } };
      const listen = (callback: () => void = () => undefined): Subscription =>
        link.connection.subscribe(subjects.ask.to('test', 5, 'calls'), { callback });
      const call = async (): Promise<ControlOutcome<unknown>> =>
        client.call(silent, subject, {}, { timeoutMs: 1_500 });

      it('are not waited for, however lately they left', async () => {
        const before = listen();
        const early = call();
        await link.connection.flush();
        const late = call();
        await link.connection.flush();
        before.unsubscribe();
        expect(await early).toMatchObject(ended);
        const after = listen();
        expect(await late).toMatchObject(ended);
        after.unsubscribe();
      });

      it('are not waited for where it ended before it could say that it is there', async () => {
        let after: Subscription | null = null;
        let received = 0;
        const before = listen(() => {
          received += 1;
          if (received !== 2) return;
          before.unsubscribe();
          setTimeout(() => (after = listen()), 400);
        });
        expect(await call()).toMatchObject(ended);
        await until('it is there again', async () => after !== null, { timeoutMs: 5_000, everyMs: 10 });
        after!.unsubscribe();
      });
    });

    it('come one by one from a client of an older version', async () => {
      const request = { pattern: subjectOf('status'), data: {}, id: 'a' };
      const reply = await link.connection.request(subjectOf('status'), JSON.stringify(request));
      const response = { kind: 'response', response: controlFixtures.status.response };
      expect(reply.json()).toMatchObject({ id: 'a', response });
    });

    it.each(['no JSON', '{}', '[1]', '[["1","status",{}]]'])('are none where it says %j', async (text) => {
      const refused = (): number => link.frames.refused.get('ask malformed') ?? 0;
      const before = refused();
      link.connection.publish(subjectOf('calls'), text, { reply: '_INBOX.anywhere.1' });
      expect(await status()).toEqual(answered);
      expect(refused()).toBe(before + 1);
    });

    it.each(['[]', '[[1,"status",{}]]'])('are none in %s where nobody waits for an answer', async (text) => {
      const refused = (): number => link.frames.refused.get('ask malformed') ?? 0;
      const before = refused();
      const frame = Buffer.concat([Buffer.alloc(CONTENT_AT), Buffer.from(text)]);
      link.connection.publish(subjectOf('calls'), sealFrame(frame));
      expect(await status()).toEqual(answered);
      expect(refused()).toBe(before + 1);
    });

    it('are told each what is wrong with it alone', async () => {
      const unknown = { ...coordinatorContracts.status, operation: 'later' };
      const [good, bad, none] = await Promise.all([
        status(),
        client.call(coordinatorContracts.leaseGrant, subjectOf('leaseGrant'), { ttlMs: 1 }),
        client.call(unknown, subjectOf('later'), {}),
      ]);
      expect(good).toEqual(answered);
      expect(bad).toMatchObject({ error: { code: 'INVALID_ARGUMENT' } });
      expect(none).toMatchObject({ error: { code: 'UNAVAILABLE' } });
    });
  });

  it('waits for no answer once the connection has broken, and asks nobody until there is another', async () => {
    const waiting = client.call(silent, subjectOf('silent'), {}, { timeoutMs: 60_000 });
    await nats.kill9();
    expect(await waiting).toMatchObject({ kind: 'failed', error: { code: 'DEADLINE_EXCEEDED' } });
    const meanwhile = await client.call(
      coordinatorContracts.status,
      subjectOf('status'),
      {},
      { timeoutMs: 60_000 },
    );
    expect(meanwhile).toMatchObject({ kind: 'failed', error: { code: 'UNAVAILABLE' } });
  });
});
