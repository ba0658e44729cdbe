import { describe, expect, it } from '@jest/globals';
import { seededPrng } from '@ringleader/primitives';
import { EventQueue } from './event-queue.js';
import { parseSeeds, SimulationFailure } from './failure.js';
import { scheduleFaults } from './fault-driver.js';
import { ALL_FAULT_KINDS, drawFaultPlan } from './fault-plan.js';
import { Judge } from './judge.js';
import type { Host } from './node.js';
import { SimulatedLog } from './simulated-log.js';
import { SimulatedStore } from './simulated-store.js';
import { World } from './world.js';

const LATENCY = { minMs: 1, maxMs: 2 };

describe('EventQueue', () => {
  it('runs events by time, those of one instant in the order of scheduling, and no cancelled one', () => {
    const queue = new EventQueue();
    const ran: string[] = [];
    queue.at(5, () => ran.push('c'));
    queue.at(1, () => {
      ran.push('a');
      queue.after(0, () => ran.push('b'));
    });
    queue.at(5, () => ran.push('d'));
    queue.at(3, () => ran.push('never')).cancelled = true;
    queue.at(9, () => ran.push('later'));
    queue.runUntil(8);
    expect(ran).toEqual(['a', 'b', 'c', 'd']);
    expect(queue.now).toBe(8);
  });

  it('agrees with sorting', () => {
    const prng = seededPrng(1);
    const queue = new EventQueue();
    const times = Array.from({ length: 500 }, () => prng.nextBelow(100));
    const ran: number[] = [];
    for (const time of times) queue.at(time, () => ran.push(time));
    queue.runUntil(100);
    expect(ran).toEqual([...times].sort((a, b) => a - b));
  });
});

describe('World', () => {
  function echoWorld(): { world: World<string>; received: string[]; hosts: Host<string>[] } {
    const world = new World<string>({ seed: 7, traceCapacity: 10 });
    const received: string[] = [];
    const hosts: Host<string>[] = [];
    for (const id of [1, 2]) {
      world.addNode(id, (host) => {
        hosts[id] = host;
        return { receive: (from, message) => received.push(`${String(from)}>${String(id)} ${message}`) };
      });
      world.node(id).start();
    }
    return { world, received, hosts };
  }

  it('delivers to a paused process when it resumes, and never to one that crashed meanwhile', () => {
    const { world, received, hosts } = echoWorld();
    world.node(2).pause();
    hosts[1]?.send(2, 'held');
    world.events.runUntil(100);
    expect(received).toEqual([]);
    world.node(2).resume();
    expect(received).toEqual(['1>2 held']);
    world.node(2).pause();
    hosts[1]?.send(2, 'lost');
    world.events.runUntil(200);
    world.node(2).crash();
    world.node(2).start();
    world.node(2).resume();
    expect(received).toEqual(['1>2 held']);
  });

  it('runs no timer of a dead process', () => {
    const { world, received, hosts } = echoWorld();
    hosts[1]?.after(10, () => received.push('timer'));
    world.node(1).crash();
    world.node(1).start();
    hosts[1]?.after(10, () => received.push('timer of the second life'));
    world.events.runUntil(100);
    expect(received).toEqual(['timer of the second life']);
  });

  it('cuts one direction', () => {
    const { world, received, hosts } = echoWorld();
    world.network.cut(1, 2);
    hosts[1]?.send(2, 'a');
    hosts[2]?.send(1, 'b');
    world.events.runUntil(100);
    world.network.heal(1, 2);
    hosts[1]?.send(2, 'c');
    world.events.runUntil(200);
    expect(received).toEqual(['2>1 b', '1>2 c']);
  });
});

describe('SimulatedLog', () => {
  it('keeps what was synced, and a prefix of the rest', () => {
    for (let seed = 0; seed < 50; seed += 1) {
      const events = new EventQueue();
      const log = new SimulatedLog<number>(events, seededPrng(seed), LATENCY);
      log.append([1, 2]);
      log.sync(() => undefined);
      events.runUntil(10);
      log.append([3, 4, 5]);
      log.sync(() => {
        throw new Error('the crash came first');
      });
      log.crash();
      events.runUntil(20);
      const { records, torn } = log.recover();
      expect(records).toEqual([1, 2, 3, 4, 5].slice(0, records.length));
      expect(records.length).toBeGreaterThanOrEqual(2);
      if (records.length === 5) expect(torn).toBe(false);
    }
  });
});

describe('SimulatedStore', () => {
  it('runs transactions in order, and a crash leaves one done or not begun', () => {
    const outcomes = new Set<string>();
    for (let seed = 0; seed < 50; seed += 1) {
      const events = new EventQueue();
      const prng = seededPrng(seed);
      const store = new SimulatedStore<number[]>([], events, prng, LATENCY);
      const heard: number[] = [];
      for (const value of [1, 2, 3]) {
        store.transact(
          (state) => state.push(value),
          () => heard.push(value),
        );
      }
      events.runUntil(prng.nextFloat() * 8);
      store.crash();
      events.runUntil(20);
      expect(store.state).toEqual([1, 2, 3].slice(0, store.state.length));
      expect(store.state.length - heard.length).toBeLessThanOrEqual(1);
      outcomes.add(`${String(heard.length)} of ${String(store.state.length)}`);
    }
    expect(outcomes.size).toBeGreaterThan(3);
  });
});

describe('fault plans', () => {
  const options = {
    nodes: [1, 2, 3],
    startMs: 100,
    endMs: 5_000,
    faultDurationMaxMs: 500,
    clockDriftMax: 0.05,
    wallSkewMaxMs: 1_000,
    intensity: 1,
    kinds: ALL_FAULT_KINDS,
  };

  it('are a function of the seed, end in time, and leave everything up', () => {
    for (let seed = 0; seed < 100; seed += 1) {
      const plan = drawFaultPlan(seededPrng(seed), options);
      expect(plan).toEqual(drawFaultPlan(seededPrng(seed), options));
      for (const fault of plan.faults) expect(fault.startsAtMs + fault.durationMs).toBeLessThanOrEqual(5_001);
      const world = new World<string>({ seed });
      for (const id of options.nodes) world.addNode(id, () => ({ receive: () => undefined }));
      for (const node of world.nodes.values()) node.start();
      scheduleFaults(world, plan, { setStorageLatency: () => undefined });
      world.events.runUntil(5_002);
      for (const node of world.nodes.values()) {
        expect([node.isUp, node.isPaused]).toEqual([true, false]);
        for (const other of options.nodes) expect(world.network.isCut(node.id, other)).toBe(false);
      }
    }
  });
});

describe('parseSeeds', () => {
  it('takes one seed or a range', () => {
    expect(parseSeeds('7')).toEqual({ first: 7, last: 7 });
    expect(parseSeeds('1..200')).toEqual({ first: 1, last: 200 });
    expect(() => parseSeeds('9..1')).toThrow('empty');
    expect(() => parseSeeds('x')).toThrow('range');
  });
});

describe('messages that are carried', () => {
  it('are packed when they are sent, and unpacked for each receiver', () => {
    interface Note {
      text: string;
    }
    const carry = (_from: number, note: Note): (() => Note) => {
      const packed = JSON.stringify(note);
      return () => JSON.parse(packed) as Note;
    };
    const world = new World<Note>({ seed: 1, carry });
    const received: Note[] = [];
    for (const id of [1, 2]) {
      world.addNode(id, () => ({ receive: (_from, note) => received.push(note) })).start();
    }
    const note = { text: 'as it was sent' };
    for (const to of [1, 2]) world.network.send(3, to, note);
    note.text = 'changed under way';
    world.events.runUntil(10);
    expect(received).toEqual([{ text: 'as it was sent' }, { text: 'as it was sent' }]);
    expect(received[0]).not.toBe(received[1]);
  });
});

describe('Judge', () => {
  const failing = (check: string) => () => {
    throw new SimulationFailure(check, 'seen');
  };

  it('lets every failed check end the run, or only those that count', () => {
    expect(() => new Judge().check(failing('one'))).toThrow('one: seen');
    const judge = new Judge(new Set(['two']));
    judge.check(failing('one'));
    judge.check(failing('one'));
    expect(() => judge.check(failing('two'))).toThrow('two: seen');
    expect([...judge.passedOver]).toEqual([['one', 2]]);
  });

  it('hides nothing but failed checks', () => {
    const broken = (): void => {
      throw new TypeError('a defect');
    };
    expect(() => new Judge(new Set()).check(broken)).toThrow('a defect');
  });
});
