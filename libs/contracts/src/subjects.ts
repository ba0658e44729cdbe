/**
 * Every NATS subject there is: `rl.<cluster>.<speaker's service>.<speaker's member>.<what>...`. Who speaks is part of the
 * subject, so that NATS refuses what a service may not say (transport/permissions.ts), and whoever listens knows the
 * speaker without trusting the payload. `cluster` is the cluster's name: two clusters can share one NATS.
 *
 * A member is named by its name; in frames of Raft and of the data path, which know members by number, by that number.
 */
import { SERVICES } from './metadata/cluster-metadata.js';
import type { Service } from './metadata/cluster-metadata.js';

/** Names of clusters and members: what fits in one token of a NATS subject and in a Kubernetes name. */
export const NAME_PATTERN = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

const ROOT = 'rl';
const ANY = '*';

export interface Speaker<S extends Service = Service> {
  readonly service: S;
  /** The member's name, or its number: one token of a subject. */
  readonly member: string | number;
}

export interface SubjectDeclaration<S extends Service> {
  /** Who may say it. */
  readonly speakers: readonly S[];
  /** Who listens. */
  readonly listeners: readonly Service[];
  /** The tokens behind the speaker; `*` stands for one that the message is addressed with. */
  readonly what: readonly string[];
  /** A request: whoever listens may answer in inboxes. */
  readonly isAnswered?: boolean;
}

export class Subject<S extends Service, Address extends readonly (string | number)[]> {
  constructor(readonly declaration: SubjectDeclaration<S>) {}

  /** Where the speaker publishes. */
  from(cluster: string, { service, member }: Speaker<S>, ...address: Address): string {
    return subject(cluster, service, member, this.fill(address));
  }

  /** What a listener subscribes to, to hear all speakers. */
  to(cluster: string, ...address: Address): string {
    const { speakers } = this.declaration;
    const [only] = speakers;
    const service = speakers.length === 1 && only !== undefined ? only : ANY;
    return subject(cluster, service, ANY, this.fill(address));
  }

  /** All that one service says of this. */
  allFrom(cluster: string, service: S): string {
    return subject(cluster, service, ANY, this.declaration.what);
  }

  /** All that is said of this. */
  allTo(cluster: string): string[] {
    const { speakers, what } = this.declaration;
    const services = speakers.length === SERVICES.length ? [ANY] : speakers;
    return services.map((service) => subject(cluster, service, ANY, what));
  }

  private fill(address: Address): string[] {
    const rest = [...address];
    return this.declaration.what.map((token) => (token === ANY ? String(rest.shift()) : token));
  }
}

function subject(cluster: string, service: string, member: string | number, what: readonly string[]): string {
  return [ROOT, cluster, service, member, ...what].join('.');
}

type To = readonly [to: string | number];
type ToMember = readonly [service: Service, member: string];

export const subjects = {
  /** Control requests to one coordinator (JSON, NestJS transport). */
  ask: new Subject<Service, readonly [to: string | number, operation: string]>({
    speakers: SERVICES,
    listeners: ['coordinator'],
    what: ['ask', ANY, ANY],
    isAnswered: true,
  }),
  /** Raft frames to one coordinator (binary). */
  raft: new Subject<'coordinator', To>({
    speakers: ['coordinator'],
    listeners: ['coordinator'],
    what: ['raft', ANY],
  }),
  /** Frames of short shard messages to one shard (binary): what keeps partitions alive. */
  peer: new Subject<'shard', To>({ speakers: ['shard'], listeners: ['shard'], what: ['peer', ANY] }),
  /** Frames of shard messages that carry rows (binary): on another connection, so that the short ones pass by. */
  peerBulk: new Subject<'shard', To>({
    speakers: ['shard'],
    listeners: ['shard'],
    what: ['peer-bulk', ANY],
  }),
  /** Frames of requests from a gateway to one shard (binary). */
  request: new Subject<'gateway', To>({
    speakers: ['gateway'],
    listeners: ['shard'],
    what: ['request', ANY],
  }),
  /** Frames of replies to one gateway (binary). */
  reply: new Subject<'shard', To>({ speakers: ['shard'], listeners: ['gateway'], what: ['reply', ANY] }),
  /** Announcements of partition leaders, from a shard to all gateways (binary). */
  leaders: new Subject<'shard', readonly []>({
    speakers: ['shard'],
    listeners: ['gateway'],
    what: ['leaders'],
  }),
  /** "Say now what you lead": from a gateway that has just started to all shards (empty). */
  leadersQuery: new Subject<'gateway', readonly []>({
    speakers: ['gateway'],
    listeners: ['shard'],
    what: ['leaders-query'],
  }),
  /** Heartbeats of all members, with load (JSON). */
  heartbeat: new Subject<Service, readonly []>({
    speakers: SERVICES,
    listeners: ['failure-detector', 'gateway'],
    what: ['heartbeat'],
  }),
  /** Reports of a failure detector (JSON). */
  verdicts: new Subject<'failure-detector', readonly []>({
    speakers: ['failure-detector'],
    listeners: ['failure-detector', 'gateway'],
    what: ['verdicts'],
  }),
  /** "Do you live?": from anybody to one member (JSON). */
  ping: new Subject<Service, ToMember>({
    speakers: SERVICES,
    listeners: SERVICES,
    what: ['ping', ANY, ANY],
  }),
  /** The answer to a ping, to who has sent it (JSON). */
  pong: new Subject<Service, ToMember>({
    speakers: SERVICES,
    listeners: SERVICES,
    what: ['pong', ANY, ANY],
  }),
  /** "Ping somebody for me": from a failure detector to one member (JSON). */
  probe: new Subject<'failure-detector', ToMember>({
    speakers: ['failure-detector'],
    listeners: SERVICES,
    what: ['probe', ANY, ANY],
  }),
  /** What came of it, to the detector that has asked (JSON). */
  probed: new Subject<Service, To>({
    speakers: SERVICES,
    listeners: ['failure-detector'],
    what: ['probed', ANY],
  }),
};

/** Where answers to one member go: no other service may listen there, and only services that are asked may speak there. */
export function inboxPrefix(
  cluster: string,
  { service, member }: { readonly service: Service | '*'; readonly member: string | number },
): string {
  return `_INBOX.${ROOT}.${cluster}.${service}.${member}`;
}

/** Who said what came by this subject; null for a subject of another form. */
export function speakerOf(
  subjectText: string,
): { readonly service: Service; readonly member: string } | null {
  const [root, , serviceToken, member] = subjectText.split('.');
  const service = SERVICES.find((known) => known === serviceToken);
  if (root !== ROOT || service === undefined || member === undefined) return null;
  return { service, member };
}
