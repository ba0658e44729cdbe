/**
 * Wrong frames on every internal subject, as every service: nothing ends, and when they are over the cluster is healthy by
 * itself, takes writes to all partitions, and has all that it acknowledged. `RINGLEADER_FAULTS_SEED=7,8` draws the frames
 * of these seeds, for longer; the same again only as far as what was heard is the same.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  appendPeerMessage,
  appendReply,
  appendRequest,
  ByteWriter,
  encodeLeadersFrame,
  startPeerFrame,
  startReplyFrame,
  startRequestFrame,
} from '@ringleader/contracts';
import {
  leadershipArbitrary,
  messageArbitrary,
  replyArbitrary,
  requestArbitrary,
} from '@ringleader/contracts/testing';
import { seededPrng } from '@ringleader/primitives';
import { until } from '@ringleader/testing-servers';
import { RestClient } from '@ringleader/testing-workload';
import fc from 'fast-check';
import { FrameFuzzer, isOfRows, type MadeUp } from './frame-fuzzer.js';
import { LoadedCluster } from './loaded-cluster.js';

const START_MS = 240_000;
const SCENARIO_MS = 240_000;
const GIVEN = process.env['RINGLEADER_FAULTS_SEED'];
/** Both once left two of three shards unready (docs/BUGS.md). */
const PINNED = [11, 12];
const SEEDS = GIVEN === undefined ? [...PINNED, Date.now() % 1_000_000] : GIVEN.split(',').map(Number);
const WRONG_MS = GIVEN === undefined ? 5_000 : 10_000;
/** Ten seconds on a machine that does nothing else; on one that does, it takes what it takes. */
const RECOVERY_MS = 60_000;
const WRONG_FRAMES_MIN = 2_000;
const PARTITIONS = 256;
/** So many random keys miss one of 256 partitions once in ten runs. */
const KEYS = 2_000;
const CLIENTS = 16;
const SHARDS = [1, 2, 3];
const WILD_ROUND = 2 ** 21;

const hybridNow = (): number => Date.now() * 1_024;

/** Of partitions that there are, in their epoch, so that they get past what refuses strangers. */
function placed<Item extends object>(item: Item, at: number, isOfRows = false): Item {
  const place = { partition: at % PARTITIONS, epoch: 1 };
  const owner = SHARDS[at % SHARDS.length]!;
  const ballot = (at % 2 === 0 && !isOfRows ? 3 : WILD_ROUND) * 65_536 + owner;
  const own = 'partition' in item ? { ...place, ballot } : {};
  const points =
    'points' in item ? { points: (item.points as object[]).map((point) => ({ ...point, ...place })) } : {};
  return { ...item, ...own, ...points };
}

function madeUpFrames(seed: number): MadeUp[] {
  const writer = new ByteWriter();
  const sample = <T>(arbitrary: fc.Arbitrary<T>): T[] => fc.sample(arbitrary, { numRuns: 300, seed });
  const peers = sample(messageArbitrary).map((message, i) => {
    startPeerFrame(writer, { from: SHARDS[i % SHARDS.length]!, hybridTime: hybridNow() });
    appendPeerMessage(writer, placed(message, i, isOfRows(message)));
    return writer.take();
  });
  const requests = sample(requestArbitrary).map((request, i) => {
    startRequestFrame(writer, { gatewayId: 'gateway-1', hybridTime: hybridNow() });
    appendRequest(writer, placed(request, i));
    return writer.take();
  });
  const replies = sample(replyArbitrary).map((reply, i) => {
    startReplyFrame(writer, { servedBy: SHARDS[i % SHARDS.length]!, hybridTime: hybridNow() });
    appendReply(writer, 2 ** 50 + i, reply);
    return writer.take();
  });
  const leaders = sample(fc.array(leadershipArbitrary, { minLength: 1, maxLength: 50 })).map((all, i) => {
    const header = { from: SHARDS[i % SHARDS.length]!, hybridTime: hybridNow() };
    return encodeLeadersFrame(
      writer,
      header,
      all.map((leadership, at) => placed(leadership, i + at)),
    );
  });
  const named = { peer: peers, 'peer-bulk': peers, request: requests, reply: replies, leaders };
  return Object.entries(named).flatMap(([what, frames]) => frames.map((content) => ({ what, content })));
}

describe('wrong frames on all internal subjects', () => {
  let loaded: LoadedCluster;

  beforeAll(async () => {
    loaded = await LoadedCluster.start();
  }, START_MS);
  afterAll(() => loaded.dispose(), START_MS);

  it.each(SEEDS)(
    'seed %d',
    async (seed) => {
      const { cluster, url } = loaded;
      const before = await runs();
      const { natsUrl } = await cluster.state();
      const place = { natsUrl, dataFolder: cluster.dataFolder, cluster: 'local' };
      const fuzzer = await FrameFuzzer.listen(place, seededPrng(seed), madeUpFrames(seed));
      await loaded.survive(`wrong-frames-${seed}`, async () => {
        await fuzzer.run(WRONG_MS, WRONG_FRAMES_MIN);
        await fuzzer.close();
        await everyPartitionAccepts(url, seed);
      });
      expect(await runs()).toEqual(before);
      expect(fuzzer.sent.size).toBeGreaterThan(8);
    },
    SCENARIO_MS,
  );

  async function runs(): Promise<unknown> {
    const { processes } = await loaded.cluster.state();
    return processes.map(({ member, pid, restarts }) => ({ member, pid, restarts }));
  }
});

async function everyPartitionAccepts(url: string, seed: number): Promise<void> {
  const client = new RestClient(url, CLIENTS);
  const keys = Array.from({ length: KEYS }, (_, i) => `after/${String(seed)}/${String(i)}`);
  const put = async (key: string): Promise<void> => {
    let last = 0;
    const isTaken = async (): Promise<boolean> => {
      last = (await client.put(key, key, { timeoutMs: 2_000 })).status;
      return last === 200 || last === 201;
    };
    await until(`${key} is accepted`, isTaken, { timeoutMs: RECOVERY_MS, seen: () => String(last) });
  };
  const worker = async (): Promise<void> => {
    for (let key = keys.pop(); key !== undefined; key = keys.pop()) await put(key);
  };
  try {
    await Promise.all(Array.from({ length: CLIENTS }, worker));
  } finally {
    await client.close();
  }
}
