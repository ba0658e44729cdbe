/** What kind of days a simulated cluster has. Rates are Poisson; durations are uniform between their bounds. */
import { DETECTOR_DEFAULTS, type DetectorSettings } from '@ringleader/failure-detection';

export interface Trouble {
  /** Of one process; 0: never. */
  readonly perHour: number;
  readonly minMs: number;
  readonly maxMs: number;
}

export interface Profile {
  readonly name: string;
  readonly about: string;
  readonly hours: number;
  readonly settings: DetectorSettings;
  /**
   * The share of messages that get lost, each for itself. A heartbeat is lost before NATS hands it to all who listen, so
   * that all detectors miss the same ones: the worst case.
   */
  readonly loss: number;
  /** Members that stand still: they say nothing, and what comes waits. */
  readonly pauses: Trouble;
  /**
   * Times in which the detectors, all on one machine, hardly get the processor: slices, between which they wait. In a slice
   * timers fire first; then is read, one by one, what has come, as far as the slice lasts.
   */
  readonly starvation: Trouble;
  readonly starved: { readonly sliceMaxMs: number; readonly waitMinMs: number; readonly waitMaxMs: number };
  /** Members that are killed, and come back as another process after this long. */
  readonly kills: Trouble;
  /** The network is cut in two: detectors, members and the coordinators' leader are on either side, as it falls. */
  readonly cuts: Trouble;
  /** Times in which no detector and a certain member hear each other, while the other members hear both. */
  readonly severed: Trouble;
  /** Members know of pings; else their silence alone counts. */
  readonly answersPings: boolean;
  /** Of the leader: how many votes make a verdict. */
  readonly quorum: number;
}

export const MEMBERS = ['shard/shard-1', 'shard/shard-2', 'shard/shard-3', 'gateway/gateway-1'] as const;
export const DETECTORS = 3;
export const MAJORITY = 2;

const NEVER: Trouble = { perHour: 0, minMs: 0, maxMs: 0 };

export const calm: Profile = {
  name: 'calm',
  about: 'members that are killed, one at a time, and nothing else',
  hours: 2,
  settings: DETECTOR_DEFAULTS,
  loss: 0,
  ...{ pauses: NEVER, starvation: NEVER, cuts: NEVER, severed: NEVER },
  starved: { sliceMaxMs: 40, waitMinMs: 200, waitMaxMs: 2_000 },
  kills: { perHour: 30, minMs: 8_000, maxMs: 12_000 },
  answersPings: true,
  quorum: MAJORITY,
};

export const lossy: Profile = {
  ...calm,
  name: 'lossy',
  about: '5 % loss, and a pause of 300 ms in each member every minute',
  hours: 12,
  loss: 0.05,
  pauses: { perHour: 60, minMs: 300, maxMs: 300 },
  kills: NEVER,
};

export const lossyWeek: Profile = {
  ...lossy,
  name: 'lossy-week',
  about: `${lossy.about}, for a week`,
  hours: 168,
};

export const pausing: Profile = {
  ...calm,
  name: 'pausing',
  about: 'pauses of up to 0.6 s in members that else beat very regularly',
  hours: 4,
  pauses: { perHour: 20, minMs: 100, maxMs: 600 },
  kills: NEVER,
};

export const starved: Profile = {
  ...calm,
  name: 'starved',
  about: 'detectors that wait for the processor for up to 2 s at a time, for a minute, every few minutes',
  hours: 3,
  starvation: { perHour: 12, minMs: 20_000, maxMs: 60_000 },
  kills: NEVER,
};

export const cut: Profile = {
  ...calm,
  name: 'cut',
  about: 'networks that are cut in two, with a loss of 5 %',
  hours: 3,
  loss: 0.05,
  cuts: { perHour: 20, minMs: 5_000, maxMs: 60_000 },
  kills: NEVER,
};

export const severed: Profile = {
  ...calm,
  name: 'severed',
  about: 'members that the detectors do not hear for some seconds, and others do, with a loss of 5 %',
  hours: 3,
  loss: 0.05,
  severed: { perHour: 30, minMs: 2_000, maxMs: 20_000 },
  kills: NEVER,
};

export const flapping: Profile = {
  ...calm,
  name: 'flapping',
  about: 'members that stand still for some seconds, again and again',
  hours: 1,
  pauses: { perHour: 720, minMs: 1_200, maxMs: 2_200 },
  kills: NEVER,
};

export const PROFILES: readonly Profile[] = [
  calm,
  lossy,
  lossyWeek,
  pausing,
  starved,
  cut,
  severed,
  flapping,
];
