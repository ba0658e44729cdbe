/** GET /v1/cluster/events, as browsers and programs read it. */
import { afterEach, describe, expect, it } from '@jest/globals';
import type { ClusterView } from '@ringleader/contracts';
import { until } from '@ringleader/testing-servers';
import { ClusterEvents } from '../src/cluster/cluster-events.js';
import type { ClusterEventsOptions } from '../src/cluster/cluster-events.js';
import { eventSources } from '../src/cluster/event-sources.js';
import { RecentDurations } from '../src/health/http-metrics.js';
import type { GatewayHarness } from './support/gateway-harness.js';
import { startGateway } from './support/gateway-harness.js';
import { problemOf } from './support/http-client.js';

interface Event {
  readonly event: string;
  readonly id: string;
  readonly data: unknown;
}

/** The events of one stream, as they come. */
async function* eventsOf(response: Response): AsyncGenerator<Event, void> {
  let text = '';
  const decoder = new TextDecoder();
  const body = response.body as unknown as AsyncIterable<Uint8Array>;
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true });
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const fields = new Map(
        block.split('\n').map((line) => /^(.*?): (.*)$/s.exec(line)?.slice(1) as [string, string]),
      );
      const [event, id = '', data = ''] = ['event', 'id', 'data'].map((name) => fields.get(name));
      if (event !== undefined) yield { event, id, data: JSON.parse(data) as unknown };
    }
  }
}

const state = { cluster: { health: 'healthy' } as object | null, moves: null as object | null, load: null };
let looks = 0;
/** Of all clients of a test. */
let gone: AbortController;
let gateway: GatewayHarness;
let events: ClusterEvents;
const start = async (options: Partial<ClusterEventsOptions> = {}): Promise<void> => {
  state.cluster = { health: 'healthy' };
  state.moves = null;
  looks = 0;
  gone = new AbortController();
  events = new ClusterEvents({
    sources: {
      cluster: () => ((looks += 1), state.cluster),
      moves: () => state.moves,
      load: () => state.load,
    },
    ...{ intervalMs: 5, heartbeatMs: 60_000, ...options },
  });
  gateway = await startGateway({ events });
};
const open = (headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${gateway.url}/v1/cluster/events`, { headers, signal: gone.signal });
const next = async (stream: AsyncGenerator<Event, void>): Promise<Event> => {
  const { value } = await stream.next();
  if (value === undefined) throw new Error('the stream has ended');
  return value;
};

describe('GET /v1/cluster/events', () => {
  afterEach(async () => {
    events.close();
    gone.abort();
    await gateway.close();
  });

  it('gives what there is, then what changes, each with an id that says what was got', async () => {
    await start();
    const response = await open();
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const stream = eventsOf(response);
    const first = await next(stream);
    expect(first).toMatchObject({ event: 'cluster', data: { health: 'healthy' } });
    state.moves = { moves: [] };
    expect(await next(stream)).toMatchObject({ event: 'moves', data: { moves: [] } });
    state.cluster = { health: 'degraded' };
    const third = await next(stream);
    expect(third).toMatchObject({ event: 'cluster', data: { health: 'degraded' } });
    // Who has got all but the last is given the last alone; ids of another process say nothing.
    const resumed = eventsOf(await open({ 'Last-Event-ID': first.id }));
    expect([(await next(resumed)).event, (await next(resumed)).event]).toEqual(['moves', 'cluster']);
    const current = eventsOf(await open({ 'Last-Event-ID': third.id }));
    state.moves = { moves: [1] };
    expect(await next(current)).toMatchObject({ event: 'moves', data: { moves: [1] } });
    const stranger = eventsOf(await open({ 'Last-Event-ID': `other.${third.id.split('.')[1]}` }));
    expect((await next(stranger)).event).toBe('cluster');
  });

  it('tells whoever comes nothing that is not known any more', async () => {
    await start();
    state.moves = { moves: ['of yesterday'] };
    const first = eventsOf(await open());
    expect([(await next(first)).event, (await next(first)).event]).toEqual(['cluster', 'moves']);
    state.moves = null;
    state.cluster = { health: 'degraded' };
    expect(await next(first)).toMatchObject({ event: 'cluster', data: { health: 'degraded' } });
    const late = eventsOf(await open());
    expect((await next(late)).event).toBe('cluster');
    state.moves = { moves: [] };
    expect(await next(late)).toMatchObject({ event: 'moves', data: { moves: [] } });
    expect(await next(first)).toMatchObject({ event: 'moves', data: { moves: [] } });
  });

  it('is looked at once for all streams, and not at all without', async () => {
    await start({ intervalMs: 3_600_000 });
    const streams = [eventsOf(await open()), eventsOf(await open())];
    for (const stream of streams) await next(stream);
    expect([looks, events.open]).toEqual([1, 2]);
  });

  it('shows that it lives while nothing changes', async () => {
    await start({ heartbeatMs: 10 });
    const stream = eventsOf(await open());
    const { id } = await next(stream);
    expect(await next(stream)).toMatchObject({ event: 'heartbeat', id });
  });

  it('ends with RECONNECT when the gateway stops, and begins no more', async () => {
    await start();
    const stream = eventsOf(await open());
    await next(stream);
    events.close();
    expect((await next(stream)).event).toBe('RECONNECT');
    expect(await stream.next()).toMatchObject({ done: true });
    expect(await problemOf(await open())).toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('has room for so many streams, of one client and of all, and takes back that of a client that went', async () => {
    // Half a connection still gets its answer: only a write shows that nobody is there.
    await start({ clientStreamsMax: 1, streamsMax: 2, heartbeatMs: 10 });
    const first = await open();
    expect(await problemOf(await open())).toMatchObject({ code: 'RATE_LIMITED', requestsMax: 1 });
    expect((await fetch(`${gateway.url}/v1/cluster/events`, { method: 'HEAD' })).status).toBe(200);
    const others = events.stream('other', undefined);
    expect(() => events.stream('third', undefined)).toThrow(expect.objectContaining({ code: 'OVERLOADED' }));
    const closed = new Promise((resolve) => others.once('close', resolve));
    others.destroy();
    await closed;
    await first.body!.cancel();
    await until('the stream is gone', () => events.open === 0, { timeoutMs: 4_000 });
    expect((await open()).status).toBe(200);
  });

  it('keeps nothing for a client that does not read but the newest', async () => {
    await start({ intervalMs: 3_600_000 });
    state.cluster = { text: 'x'.repeat(100_000) };
    const slow = events.stream('slow', undefined);
    const before = slow.readableLength;
    state.cluster = { text: 'y'.repeat(100_000) };
    events.stream('other', undefined);
    (events as unknown as { tick(): void }).tick();
    expect(slow.readableLength).toBe(before);
    slow.setEncoding('utf8');
    slow.read();
    (events as unknown as { tick(): void }).tick();
    expect(slow.read()).toContain('yyy');
  });
});

it('tells who comes after an hour how busy the gateway is, not how busy it was in that hour', () => {
  let now = 0;
  const durations = new RecentDurations();
  const items = [{ at: '2026-11-26T00:00:00.000Z', perSecond: 3, latencyMsP50: 2, latencyMsP99: 9 }];
  const { load } = eventSources({
    view: () => ({ members: [] }) as unknown as ClusterView,
    placement: () => null,
    ...{ durations, history: { items }, monotonicMs: () => now },
  });
  for (let i = 0; i < 7_200; i += 1) durations.observe(500);
  now = 3_600_000;
  expect(load()).toMatchObject({ requests: { perSecond: 3, latencyMsP50: 2, latencyMsP99: 9 } });
  now += 2_000;
  expect(load()).toMatchObject({ requests: { perSecond: 0, latencyMsP50: null } });
});

it('tells quantiles of what came between two looks', () => {
  const durations = new RecentDurations();
  durations.observe(1_000);
  const before = durations.snapshot();
  for (let i = 0; i < 99; i += 1) durations.observe(1);
  durations.observe(100);
  const after = durations.snapshot();
  expect(RecentDurations.quantileMs(before, after, 0.5)).toBe(1);
  expect(RecentDurations.quantileMs(before, after, 1)).toBeCloseTo(107.63, 1);
  expect(RecentDurations.quantileMs(after, after, 0.5)).toBeNull();
  expect(RecentDurations.total(after) - RecentDurations.total(before)).toBe(100);
});
