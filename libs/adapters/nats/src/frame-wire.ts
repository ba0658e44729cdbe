/**
 * Binary frames over one connection: sealed for whoever is known to understand that, bare for everybody else and for
 * announcements (the versions: libs/contracts/src/transport/envelope.ts). What is not as it left is counted and dropped.
 *
 * What a member understands is what its last frame said, so that one that is replaced by an older version is spoken to
 * as it understands it. Of a bare frame nobody can tell whether it is as it left; so it takes back what a sealed one said
 * only when none has come for a while.
 */
import { headers, type MsgHdrs } from '@nats-io/nats-core';
import type { Payload, Subscription, SubscriptionOptions } from '@nats-io/nats-core';
import {
  contentOf,
  type FrameRefusal,
  OLDEST_WIRE_VERSION,
  openFrame,
  sealFrame,
  speakerOf,
  type Speaker,
  type subjects,
  WIRE_HEADER,
  type WireVersion,
} from '@ringleader/contracts';

type SubjectName = keyof typeof subjects;

/** Takes a frame's content; gives the reason where it is dropped. */
export type FrameListener = (content: Uint8Array, speaker: string) => FrameRefusal | null;

/** Members that are gone (gateways that were replaced) go with the others when there are so many: all begin anew. */
const MEMBERS_MAX = 4_096;

/** Longer than members that talk with each other are silent, and shorter than a process takes to be replaced. */
const TAKEN_BACK_AFTER_MS = 1_000;

/** The highest version that a member understands, and when it said so last. */
export interface Understanding {
  version: number;
  saidAt: number;
}

/** Where a member is reached, and the name that it is remembered by. */
interface Address {
  readonly subject: string;
  readonly name: string;
}

interface Heard {
  readonly member: string;
  readonly name: string;
}

export type Listening = SubscriptionOptions & Required<Pick<SubscriptionOptions, 'callback'>>;

/** What a link gives its wire. */
interface Carrier {
  subscribe(subject: string, options: Listening): Subscription;
  publish(subject: string, payload?: Payload, headers?: MsgHdrs): boolean;
  hear(subject: string): void;
}

export class FrameWire {
  /** `subject reason` and how often: bounded by the subjects that there are. */
  readonly refused = new Map<string, number>();
  private readonly says: MsgHdrs | undefined;
  /** By the subject that they speak by. */
  private readonly speakers = new Map<string, Heard>();

  constructor(
    private readonly link: Carrier,
    private readonly version: WireVersion,
    private readonly understood: Map<string, Understanding>,
  ) {
    if (version === OLDEST_WIRE_VERSION) return;
    this.says = headers();
    this.says.set(WIRE_HEADER, String(version));
  }

  /** To one member. The frame was begun with `reserveEnvelope`, and is this object's from now on. */
  publish(subject: string, frame: Uint8Array, to: Speaker): boolean {
    return this.send({ subject, name: nameOf(to) }, frame);
  }

  /** What sends frames to members of one service, each by a subject that is made once. */
  sender<Member extends string | number>(
    service: Speaker['service'],
    subjectOf: (member: Member) => string,
  ): (member: Member, frame: Uint8Array) => boolean {
    const addresses = new Map<Member, Address>();
    return (member, frame) => {
      let address = addresses.get(member);
      if (address === undefined) {
        if (addresses.size >= MEMBERS_MAX) addresses.clear();
        address = { subject: subjectOf(member), name: nameOf({ service, member }) };
        addresses.set(member, address);
      }
      return this.send(address, frame);
    };
  }

  /** To whoever listens, whatever they understand: a bare frame, without room for an envelope. */
  broadcast(subject: string, content: Uint8Array): boolean {
    return this.link.publish(subject, content, this.says);
  }

  subscribe(name: SubjectName, subject: string, listener: FrameListener): Subscription {
    return this.link.subscribe(subject, {
      callback: (error, message) => {
        const refusal =
          error === null
            ? this.take(message.data, message.headers?.get(WIRE_HEADER), message.subject, listener)
            : 'error';
        if (refusal !== null) this.refuse(name, refusal);
      },
    });
  }

  /** For what is found out later than by the listener, or came into an inbox (`watch`). */
  refuse(name: SubjectName | 'watch', refusal: FrameRefusal): void {
    const label = `${name} ${refusal}`;
    this.refused.set(label, (this.refused.get(label) ?? 0) + 1);
  }

  private send({ subject, name }: Address, frame: Uint8Array): boolean {
    const heard = this.understood.get(name)?.version ?? OLDEST_WIRE_VERSION;
    if (Math.min(heard, this.version) === OLDEST_WIRE_VERSION)
      return this.broadcast(subject, contentOf(frame));
    return this.link.publish(subject, sealFrame(frame));
  }

  private take(
    data: Uint8Array,
    header: string | undefined,
    subject: string,
    listener: FrameListener,
  ): FrameRefusal | null {
    const speaker = this.speakers.get(subject) ?? this.meet(subject);
    if (speaker === null) return 'misattributed';
    this.link.hear(subject);
    const opened = openFrame(data, this.version);
    if (opened.kind === 'refused') return opened.refusal;
    // Before the listener, which may answer at once.
    this.learn(speaker.name, opened.understands ?? versionIn(header));
    return listener(opened.content, speaker.member);
  }

  private meet(subject: string): Heard | null {
    const speaker = speakerOf(subject);
    if (speaker === null) return null;
    if (this.speakers.size >= MEMBERS_MAX) this.speakers.clear();
    const heard = { member: speaker.member, name: nameOf(speaker) };
    this.speakers.set(subject, heard);
    return heard;
  }

  private learn(member: string, version: number): void {
    const saidAt = performance.now();
    const known = this.understood.get(member);
    if (known === undefined) {
      if (this.understood.size >= MEMBERS_MAX) this.understood.clear();
      this.understood.set(member, { version, saidAt });
    } else if (version >= known.version || saidAt - known.saidAt >= TAKEN_BACK_AFTER_MS) {
      known.version = version;
      known.saidAt = saidAt;
    }
  }
}

function nameOf({ service, member }: Speaker): string {
  return `${service} ${member}`;
}

function versionIn(header: string | undefined): number {
  const version = Number(header);
  return Number.isInteger(version) && version > OLDEST_WIRE_VERSION ? version : OLDEST_WIRE_VERSION;
}
