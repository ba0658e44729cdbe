import { describe, expect, it } from '@jest/globals';
import { contentOf, decodePeerFrame, type PeerFrame } from '@ringleader/contracts';
import type { Clock } from '@ringleader/primitives';
import type {
  PurgeStatus,
  VerificationRun,
  Ready,
  ShardMessage,
  StorageTransaction,
} from '@ringleader/paxos';
import type { Room } from './data-path.js';
import { type Core, type DriverStorage, ShardDriver, type ShardDriverOptions } from './shard-driver.js';
import { ShardClock } from './shard-clock.js';

const NOTHING: Ready = { transaction: null, reads: [], removals: [], messages: [], replies: [], events: [] };
const release = (partition: number): ShardMessage => ({
  kind: 'released',
  partition,
  epoch: 1,
  ballot: 65_537,
});

/** A core that remembers its calls and hands out what it was given. */
class ScriptedCore implements Core {
  readonly calls: string[] = [];
  readonly ready: Ready[] = [];
  deadline = Number.POSITIVE_INFINITY;
  onTick: (now: number) => void = () => undefined;
  onReceive: (now: number) => void = () => undefined;

  learnMap = (): void => void this.calls.push('learnMap');
  receive = (from: number, message: ShardMessage, now: number): void => {
    this.calls.push(`receive ${from} ${message.kind}`);
    this.onReceive(now);
  };
  submit = (): void => void this.calls.push('submit');
  transactionDurable = (id: number): void => void this.calls.push(`durable ${id}`);
  readDone = (): void => void this.calls.push('readDone');
  tick = (now: number): void => {
    if (performance.now() >= this.deadline) this.deadline = Number.POSITIVE_INFINITY;
    this.onTick(now);
  };
  nextDeadline = (): number => this.deadline;
  takeReady = (): Ready => this.ready.shift() ?? NOTHING;
  leave = (): void => void this.calls.push('leave');
  releaseAll = (): void => void this.calls.push('releaseAll');
  leadsNothing = false;
  hasLeft = false;
  status = (): [] => [];
  moves = (): [] => [];
  readonly quietMs = null;
  purging = (): PurgeStatus => ({ tombstones: 0, purgedTotal: 0, lagRevisions: 0, lookedForIn: 0 });
  setCopyRate = (): void => void this.calls.push('setCopyRate');
  verify = (): void => void this.calls.push('verify');
  verified = (): VerificationRun => ({ run: null, partitions: [] });
  readonly promisesFrom = 0;
  hasRoomForRows = true;
  hasRoomForRequests = true;
}

interface Rig {
  readonly core: ScriptedCore;
  readonly driver: ShardDriver;
  readonly frames: [number, PeerFrame][];
  /** Resolves at the end of the next turn. */
  turnEnd(): Promise<void>;
  readonly failure: Promise<unknown>;
  /** Whether there was room for peers and for gateways, each time that it may have changed. */
  readonly rooms: [boolean, boolean][];
}

const CLOCK: Clock = { monotonicMs: () => performance.now(), wallMs: () => Date.now() };

function rig(storage: Partial<DriverStorage> = {}, clock = CLOCK): Rig {
  const core = new ScriptedCore();
  const frames: [number, PeerFrame][] = [];
  const rooms: [boolean, boolean][] = [];
  let room: Room | null = null;
  let turn = Promise.withResolvers<void>();
  const failure = Promise.withResolvers<unknown>();
  const options: ShardDriverOptions = {
    ordinal: 1,
    core,
    storage: {
      commit: () => Promise.resolve(),
      read: () => Promise.reject(new Error('no reads here')),
      removeGeneration: () => Promise.resolve(),
      removeLeftovers: () => Promise.resolve(),
      ...storage,
    },
    clock: new ShardClock(clock),
    peers: {
      sendToPeer: (shard, bytes) => {
        const frame = decodePeerFrame(contentOf(bytes));
        if (frame.kind === 'peer') frames.push([shard, frame]);
      },
      sendParcelToPeer: () => undefined,
      holdsBack: () => false,
      carriesParcels: false,
      limit: (given) => {
        room = given;
      },
      roomChanged: () => {
        if (room !== null) rooms.push([room.forPeers(), room.forGateways()]);
      },
    },
    onReply: () => undefined,
    onEvent: () => undefined,
    onTurnEnd: () => {
      turn.resolve();
      turn = Promise.withResolvers<void>();
    },
    onTransaction: () => undefined,
    onFailure: failure.resolve,
  };
  return {
    core,
    driver: new ShardDriver(options),
    frames,
    turnEnd: () => turn.promise,
    failure: failure.promise,
    rooms,
  };
}

const transaction: StorageTransaction = { id: 7, records: [], upserts: [], removals: [] };

describe('ShardDriver', () => {
  it('sends all messages of a turn to a peer in one frame', async () => {
    const { core, driver, frames, turnEnd } = rig();
    core.ready.push({
      ...NOTHING,
      messages: [
        { to: 2, message: release(1) },
        { to: 3, message: release(2) },
        { to: 2, message: release(3) },
      ],
    });
    const end = turnEnd();
    driver.receive(2, [release(4)]);
    driver.receive(3, [release(5)]);
    await end;
    driver.stop();
    expect(core.calls).toEqual(['receive 2 released', 'receive 3 released']);
    expect(frames.map(([to, frame]) => [to, frame.from, frame.messages])).toEqual([
      [2, 1, [release(1), release(3)]],
      [3, 1, [release(2)]],
    ]);
  });

  it('tells the core when a transaction is durable, and not before', async () => {
    const commit = Promise.withResolvers<void>();
    const { core, driver, turnEnd } = rig({ commit: () => commit.promise });
    core.ready.push({ ...NOTHING, transaction });
    let end = turnEnd();
    driver.learnMap([]);
    await end;
    expect(core.calls).toEqual(['learnMap']);
    end = turnEnd();
    commit.resolve();
    await end;
    driver.stop();
    expect(core.calls).toEqual(['learnMap', 'durable 7']);
  });

  it('ends with the first failure of the storage: the core hears nothing more', async () => {
    const { core, driver, failure } = rig({ commit: () => Promise.reject(new Error('disk')) });
    core.ready.push({ ...NOTHING, transaction });
    driver.learnMap([]);
    expect(await failure).toEqual(new Error('disk'));
    expect(core.calls).toEqual(['learnMap']);
  });

  it('takes what waits for room when it ends, though it had none', async () => {
    const { core, driver, failure, rooms } = rig({ commit: () => Promise.reject(new Error('disk')) });
    [core.hasRoomForRows, core.hasRoomForRequests] = [false, false];
    core.ready.push({ ...NOTHING, transaction });
    driver.learnMap([]);
    await failure;
    expect(rooms).toEqual([
      [false, false],
      [true, true],
    ]);
  });

  it('ticks when the core wants it', async () => {
    const { core, driver } = rig();
    const ticked = Promise.withResolvers<number>();
    const deadline = performance.now() + 20;
    core.deadline = deadline;
    core.onTick = () => {
      if (core.calls.length > 0) ticked.resolve(performance.now());
    };
    driver.learnMap([]);
    const tickedAt = await ticked.promise;
    driver.stop();
    // The event loop counts whole milliseconds.
    expect(tickedAt).toBeGreaterThanOrEqual(deadline - 1);
  });

  it('reads its clocks once a turn, the monotonic one first, after all inputs were taken in', async () => {
    const readings: string[] = [];
    let monotonic = 100;
    const clock = {
      monotonicMs: () => {
        readings.push('monotonic');
        return ++monotonic;
      },
      wallMs: () => {
        readings.push('wall');
        return 50_000;
      },
    };
    const { core, driver, turnEnd } = rig({}, clock);
    const readAtTick: string[] = [];
    const workedBy: number[] = [];
    core.onTick = (now) => {
      readAtTick.push(...readings.splice(0));
      core.calls.push('tick');
      workedBy.push(now);
    };
    core.onReceive = (now) => void workedBy.push(now);
    const end = turnEnd();
    driver.receive(2, [release(1), release(2)]);
    driver.receive(3, [release(3)]);
    expect(readings).toEqual([]);
    await end;
    driver.stop();
    expect(core.calls).toEqual(['tick', 'receive 2 released', 'receive 2 released', 'receive 3 released']);
    expect(readAtTick).toEqual(['monotonic', 'wall']);
    expect(new Set(workedBy).size).toBe(1);
  });

  it('gives up its leaderships and waits for the transaction under way', async () => {
    const commit = Promise.withResolvers<void>();
    const { core, driver, turnEnd } = rig({ commit: () => commit.promise });
    core.ready.push({ ...NOTHING, transaction });
    const end = turnEnd();
    driver.learnMap([]);
    await end;
    const left = driver.leave(60_000);
    await turnEnd();
    expect(core.calls.at(-1)).toBe('leave');
    [core.leadsNothing, core.hasLeft] = [true, true];
    const released = turnEnd();
    driver.setCopyRate(1);
    await released;
    while (core.calls.at(-1) !== 'releaseAll') await turnEnd();
    commit.resolve();
    await left;
    expect(core.calls.at(-1)).toBe('durable 7');
    driver.stop();
  });

  it('gives up what nobody has taken over in time, and does not wait for a storage that has failed', async () => {
    const { core, driver } = rig();
    await driver.leave(50);
    expect(core.calls.slice(-2)).toEqual(['leave', 'releaseAll']);
    const left = driver.leave(60_000);
    driver.stop();
    await left;
  });
});
