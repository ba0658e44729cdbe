/** Shards and what they hold: places, a map of a few partitions, and moves of one replica at a time. */
import type { PlacedShard, Plan } from '@ringleader/contracts';
import { Refused, Violation } from './violations.js';

/** Of a shard's pod that runs; a volume without an id is empty. */
export interface RunningShard {
  readonly name: string;
  readonly volume: { id: string | null };
}
interface Place {
  readonly shard: string;
  readonly ordinal: number;
  readonly volume: string;
  state: PlacedShard['state'];
  since: string;
}

const PARTITIONS = 4;

export class Placement {
  readonly #registered = new Map<string, string>();
  readonly #places = new Map<number, Place>();
  #partitions: string[][] = [];
  #ordinals = 0;
  #epoch = 1;
  #paused: 'operator' | 'person' | null = null;

  constructor(
    private readonly replicationFactor: number,
    private readonly initialShards: number,
    private readonly running: () => readonly RunningShard[],
    private readonly nowText: () => string,
  ) {}

  /** Whether this volume is kept for good: a partition has a replica there, or a shard may come back with it. */
  isKept(volume: string): boolean {
    return this.holds(volume) || [...this.#registered.values()].includes(volume);
  }
  holds = (volume: string): boolean => this.#partitions.some((replicas) => replicas.includes(volume));
  isRegistered = (volume: string): boolean => [...this.#registered.values()].includes(volume);
  get hasMap(): boolean {
    return this.#partitions.length > 0;
  }
  get paused(): 'operator' | 'person' | null {
    return this.#paused;
  }
  knows(shard: string): boolean {
    return [...this.#places.values()].some((place) => place.shard === shard);
  }

  withoutMajority(isThere: (volume: string) => boolean): number {
    return this.#partitions.filter((replicas) => replicas.filter(isThere).length <= replicas.length / 2)
      .length;
  }

  observed(): { shards: PlacedShard[]; plan: Plan } {
    const up = this.#up();
    const shards = [...this.#places.values()].map(({ shard, ordinal, volume, state, since }) => {
      const held = this.#partitions.filter((replicas) => replicas.includes(volume)).length;
      const counts = { replicas: held, leaders: 0, arriving: 0, departing: 0 };
      const isCounted = state === 'active' || state === 'joining';
      const isDown = !up.has(volume) || this.#registered.get(shard) !== volume;
      const notRemovable = isCounted || held > 0 ? 'it is needed' : null;
      return {
        ...{ shard, ordinal, state, since, zone: '', weight: 1, ...counts, notRemovable },
        verdict: isDown ? ('down' as const) : ('alive' as const),
        removable: notRemovable === null,
      };
    });
    const limits = { movesMax: 1, bytesPerSecondMax: 1, replaceAfterMs: 1 };
    const movesTotal = this.#nextMove() === null ? 0 : 1;
    const plan = {
      ...{ epoch: this.#epoch, paused: this.#paused !== null, limits, blocked: null, moves: [], movesTotal },
      ...(this.#paused === 'operator' && { pausedBy: 'operator' as const }),
      ...{ leaderChanges: 0, bytesTotal: 0 },
    };
    return { shards: this.hasMap ? shards : [], plan };
  }

  drain(shard: string, ifEpoch: number): void {
    const place = this.#at(shard, ifEpoch);
    if (place.state !== 'active' && place.state !== 'joining') throw new Refused('ALREADY_SO');
    const up = this.#up();
    const left = [...this.#places.values()].filter(
      ({ state, volume }) => state === 'active' && volume !== place.volume && up.has(volume),
    );
    if (left.length < this.replicationFactor) throw new Refused('REPLICATION_AT_RISK');
    this.#turn(place, 'draining');
  }

  undrain(shard: string, ifEpoch: number): void {
    const place = this.#at(shard, ifEpoch);
    if (place.state !== 'draining' && place.state !== 'drained') throw new Refused('ALREADY_SO');
    this.#turn(place, this.holds(place.volume) ? 'active' : 'joining');
  }

  remove(shard: string, ifEpoch: number): void {
    const place = this.#at(shard, ifEpoch);
    if (this.holds(place.volume) || (place.state !== 'drained' && place.state !== 'replaced')) {
      throw new Violation('removes only what is drained', `${shard} is ${place.state}`);
    }
    this.#places.delete(place.ordinal);
    if (this.#registered.get(shard) === place.volume) this.#registered.delete(shard);
    this.#epoch += 1;
  }

  pause(by: 'operator' | 'person', ifEpoch?: number): void {
    this.#expects(ifEpoch);
    if (this.#paused !== null && (by === 'operator' || this.#paused === 'person')) return;
    this.#paused = by;
    this.#epoch += 1;
  }

  resume(by: 'operator' | 'person', ifEpoch?: number): void {
    this.#expects(ifEpoch);
    if (by === 'operator' && this.#paused === 'person') {
      throw new Violation('what a person paused stays paused', 'asked to let moves go on');
    }
    if (this.#paused === null) return;
    this.#paused = null;
    this.#epoch += 1;
  }

  /** One of the shards, by a person. */
  drainByPerson(pick: number): void {
    const active = [...this.#places.values()].filter(({ state }) => state === 'active');
    const up = this.#up();
    const place = active[pick % active.length];
    if (place === undefined) return;
    const left = active.filter(({ volume }) => volume !== place.volume && up.has(volume));
    if (left.length >= this.replicationFactor) this.#turn(place, 'draining');
  }

  /** Not of one that the operator has never seen: who ends before that is not told from one that never began. */
  removeByPerson(isSeen: (volume: string) => boolean): void {
    const drained = [...this.#places.values()].find(
      ({ state, volume }) => state === 'drained' && isSeen(volume),
    );
    if (drained === undefined) return;
    this.#places.delete(drained.ordinal);
    this.#registered.delete(drained.shard);
    this.#epoch += 1;
  }

  /** One look of the coordinators' leader. */
  progress(): void {
    this.#register();
    if (!this.hasMap) return this.#makeMap();
    for (const [shard, volume] of this.#registered) this.#place(shard, volume);
    for (const place of [...this.#places.values()]) this.#follow(place);
    const move = this.#paused === null ? this.#nextMove() : null;
    if (move === null) return;
    const { partition, from, to } = move;
    this.#partitions[partition] = this.#partitions[partition]!.map((one) => (one === from ? to : one));
  }

  #follow(place: Place): void {
    const isCurrent = this.#registered.get(place.shard) === place.volume;
    const holds = this.holds(place.volume);
    if (!isCurrent && place.state !== 'replaced') this.#turn(place, 'replaced');
    else if (place.state === 'joining' && this.#up().has(place.volume)) this.#turn(place, 'active');
    else if (place.state === 'draining' && !holds) this.#turn(place, 'drained');
    else if (place.state === 'replaced' && !isCurrent && !holds) this.#end(place);
  }

  #register(): void {
    for (const { name, volume } of this.running()) {
      if (volume.id !== null) continue;
      volume.id = `volume-${++this.#ordinals}`;
      this.#registered.set(name, volume.id);
    }
  }

  #makeMap(): void {
    const up = [...this.#registered].filter(([, volume]) => this.#up().has(volume));
    if (up.length < this.initialShards) return;
    for (const [shard, volume] of this.#registered) this.#place(shard, volume);
    const volumes = up.map(([, volume]) => volume);
    this.#partitions = Array.from({ length: PARTITIONS }, (_, partition) =>
      Array.from({ length: this.replicationFactor }, (__, i) => volumes[(partition + i) % volumes.length]!),
    );
  }

  #place(shard: string, volume: string): void {
    if ([...this.#places.values()].some((place) => place.volume === volume)) return;
    const ordinal = Number(volume.slice('volume-'.length));
    this.#places.set(ordinal, { shard, ordinal, volume, state: 'joining', since: this.nowText() });
    this.#epoch += 1;
  }

  #nextMove(): { partition: number; from: string; to: string } | null {
    const up = this.#up();
    const places = [...this.#places.values()];
    const load = (volume: string): number =>
      this.#partitions.filter((replicas) => replicas.includes(volume)).length;
    const takers = places
      .filter(({ state, volume }) => state === 'active' && up.has(volume))
      .map(({ volume }) => volume)
      .sort((a, b) => load(a) - load(b));
    const leaving = places.filter(({ state }) => state === 'draining' || state === 'replaced');
    const givers = [...leaving.map(({ volume }) => volume), ...[...takers].reverse()];
    for (const from of givers) {
      const isLeaving = leaving.some(({ volume }) => volume === from);
      for (const [partition, replicas] of this.#partitions.entries()) {
        const hasMajority = replicas.filter((one) => up.has(one)).length > replicas.length / 2;
        if (!replicas.includes(from) || !hasMajority) continue;
        const to = takers.find((one) => !replicas.includes(one));
        if (to !== undefined && (isLeaving || load(from) - load(to) > 1)) return { partition, from, to };
      }
    }
    return null;
  }

  #up(): ReadonlySet<string> {
    return new Set(this.running().flatMap(({ volume }) => volume.id ?? []));
  }

  #at(shard: string, ifEpoch: number): Place {
    this.#expects(ifEpoch);
    const named = [...this.#places.values()].filter((one) => one.shard === shard);
    const place =
      named.find(({ volume }) => this.#registered.get(shard) === volume) ??
      named.sort((a, b) => b.ordinal - a.ordinal)[0];
    if (place === undefined) throw new Refused('SHARD_NOT_FOUND');
    return place;
  }

  #expects(ifEpoch: number | undefined): void {
    if (ifEpoch !== undefined && ifEpoch !== this.#epoch) throw new Refused('PRECONDITION_FAILED');
  }

  #turn(place: Place, state: Place['state']): void {
    place.state = state;
    place.since = this.nowText();
    this.#epoch += 1;
  }

  #end(place: Place): void {
    this.#places.delete(place.ordinal);
    this.#epoch += 1;
  }
}
