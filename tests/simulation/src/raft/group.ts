/** A whole simulated Raft group: members with their disks, clients, faults and the judge. */
import type { MemberId } from '@ringleader/primitives';
import type { RaftRules } from '@ringleader/raft';
import {
  drawFaultPlan,
  type FaultPlan,
  GOOD_LINK,
  scheduleFaults,
  SimulatedLog,
  World,
} from '@ringleader/testing-simulation';
import { ClientsProcess } from './clients.js';
import type { DataRules } from './data/data-rules.js';
import { FollowersProcess } from './data/followers.js';
import { WatchersProcess } from './data/watchers.js';
import type { DiskRules } from './disk-rules.js';
import { type IdentityRules, seatOf } from './identities.js';
import { Judge } from './judge.js';
import { type DiskRecord, MemberDisk } from './member-disk.js';
import { MemberProcess } from './member-process.js';
import { clockDriftMax, type RunSettings } from './settings.js';
import type { SimMessage } from './sim-messages.js';

/** All clients are one node: they reach every member, whatever the members' links are like. */
export const clientsNode = 1_001;
const watchersNode = 1_002;
const followersNode = 1_003;
/** Shows simulated time. */
const clientsClock = { rate: 1, monotonicStartMs: 0, wallSkewMs: 0 };
/** Until a process that has ended is started again by whoever looks after it. */
const restartMs = 20;
const storageLatency = { minMs: 0.1, maxMs: 1 };

export interface GroupOptions {
  readonly seed: number;
  readonly rules: RaftRules;
  readonly identities: IdentityRules;
  readonly dataRules: DataRules;
  readonly disks: DiskRules;
  readonly traceCapacity: number;
}

export class Group {
  readonly world: World<SimMessage>;
  readonly settings: RunSettings;
  readonly judge: Judge;
  /** By their seats, which is also where those wait that are no members yet, or not any more. */
  readonly members: readonly MemberId[];
  readonly #identities: IdentityRules;
  readonly #processes = new Map<MemberId, MemberProcess>();
  readonly #plan: FaultPlan;
  #clients: ClientsProcess | null = null;
  #watchers: WatchersProcess | null = null;
  #followers: FollowersProcess | null = null;

  constructor(settings: RunSettings, options: GroupOptions) {
    this.settings = settings;
    this.#identities = options.identities;
    this.judge = new Judge(
      (id) => (this.idAt(seatOf(id)) === id ? (this.judge.disks.get(seatOf(id)) ?? null) : null),
      () => this.world.events.now,
    );
    this.world = new World({ seed: options.seed, traceCapacity: options.traceCapacity });
    this.members = Array.from({ length: settings.group.members + settings.group.spares }, (_, i) => i + 1);
    const { kinds, intensity, durationMaxMs } = settings.faults;
    this.#plan = drawFaultPlan(this.world.fork(), {
      nodes: this.members,
      startMs: 100,
      endMs: settings.faultyMs,
      faultDurationMaxMs: durationMaxMs,
      clockDriftMax,
      wallSkewMaxMs: 0,
      intensity,
      kinds,
    });
    for (const member of this.members) this.#addMember(member, options);
    this.world.addNode(
      clientsNode,
      (host) => {
        this.#clients = new ClientsProcess(host, settings.clients, this.members);
        return this.#clients;
      },
      clientsClock,
    );
    this.world.addNode(watchersNode, (host) => {
      const { members } = this;
      const { dataRules: rules } = options;
      this.#watchers = new WatchersProcess(host, { count: settings.clients.watchers, members, rules });
      return this.#watchers;
    });
    this.world.addNode(followersNode, (host) => {
      const { members } = this;
      this.#followers = new FollowersProcess(host, {
        count: settings.clients.followers,
        members,
        rules: options.dataRules,
      });
      return this.#followers;
    });
    // Faults concern what members tell each other: Raft says nothing about requests that arrive twice.
    for (const member of this.members) {
      for (const asker of [clientsNode, watchersNode]) {
        this.world.network.setLinkQuality(member, asker, GOOD_LINK);
        this.world.network.setLinkQuality(asker, member, GOOD_LINK);
      }
      // What is pushed may be lost; but who asks for it asks once.
      this.world.network.setLinkQuality(followersNode, member, GOOD_LINK);
    }
  }

  start(): void {
    for (const node of this.world.nodes.values()) node.start();
    scheduleFaults(this.world, this.#plan, {
      setStorageLatency: (member, latency) => {
        this.judge.disks.get(member)?.log.setLatency(latency);
      },
    });
  }

  get clients(): ClientsProcess {
    if (this.#clients === null) throw new RangeError('the clients are not started');
    return this.#clients;
  }

  get watchers(): WatchersProcess {
    if (this.#watchers === null) throw new RangeError('the watchers are not started');
    return this.#watchers;
  }

  get followers(): FollowersProcess {
    if (this.#followers === null) throw new RangeError('the followers are not started');
    return this.#followers;
  }

  /** Null while it is down. */
  process(member: MemberId): MemberProcess | null {
    return this.world.node(member).isUp ? (this.#processes.get(member) ?? null) : null;
  }

  /** Of the highest term, among those that are up. */
  leader(): MemberId | null {
    let leader: MemberId | null = null;
    let term = 0;
    for (const member of this.members) {
      const status = this.process(member)?.core.status();
      if (status === undefined || status.role !== 'leader' || status.term <= term) continue;
      leader = member;
      term = status.term;
    }
    return leader;
  }

  healAll(): void {
    this.world.network.healAll();
    for (const member of this.members) {
      this.setFull(member, false);
      this.judge.disks.get(member)?.goOn();
      const node = this.world.node(member);
      while (node.isPaused) node.resume();
      node.start();
    }
  }

  /** Of the member that is at this seat now. */
  idAt(seat: MemberId): MemberId {
    return this.#identities.idOf(seat, this.judge.disks.get(seat)?.losses ?? 0);
  }

  processes(): MemberProcess[] {
    return this.members.flatMap((seat) => this.process(seat) ?? []);
  }

  /** Of a member that is down. It is another member from then on, which the group does not know. */
  loseDisk(member: MemberId): void {
    this.judge.disks.get(member)?.lose();
  }

  /** Whether there is room on a member's disk. */
  setFull(member: MemberId, isFull: boolean): void {
    const disk = this.judge.disks.get(member);
    if (disk !== undefined) disk.isFull = isFull;
  }

  #addMember(member: MemberId, { rules, identities, disks, dataRules }: GroupOptions): void {
    const log = new SimulatedLog<DiskRecord>(this.world.events, this.world.fork(), storageLatency);
    const disk = new MemberDisk(log, disks, (run) => {
      this.world.events.after(0, run);
    });
    this.judge.disks.set(member, disk);
    const surroundings = {
      settings: this.settings.group,
      rules,
      identities,
      dataRules,
      disk,
      judge: this.judge,
      isThere: (id: MemberId): boolean => this.world.node(seatOf(id)).isUp,
      end: (): void => {
        this.world.node(member).crash();
      },
      restart: (): void => {
        this.world.node(member).crash();
        this.world.events.after(restartMs, () => {
          this.world.node(member).start();
        });
      },
    };
    const clock = this.#plan.clocks.get(member);
    this.world.addNode(
      member,
      (host) => {
        const process = new MemberProcess(host, surroundings);
        this.#processes.set(member, process);
        return process;
      },
      clock,
    );
  }
}
