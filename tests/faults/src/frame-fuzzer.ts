/**
 * Says wrong things to a running cluster, as each of its services may: with that service's NATS user, on every subject on
 * which the permissions let it speak. What it says are frames that it heard there or elsewhere, repeated, cut, damaged,
 * misdirected, or with wild numbers under a right checksum, and frames that were made up.
 */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  appendPeerMessage,
  ByteWriter,
  decodePeerFrame,
  openFrame,
  permissionsOf,
  reserveEnvelope,
  sealFrame,
  SERVICES,
  startPeerFrame,
  subjects,
  type PeerFrame,
  type Service,
} from '@ringleader/contracts';
import { connectNats, UNLOGGED, type NatsLink } from '@ringleader/nats';
import type { Prng } from '@ringleader/primitives';

export interface FuzzerPlace {
  readonly natsUrl: string;
  readonly dataFolder: string;
  readonly cluster: string;
}

/** A frame without an envelope, for subjects with this token. */
export interface MadeUp {
  readonly what: string;
  readonly content: Uint8Array;
}

interface Heard {
  readonly subject: string;
  readonly data: Uint8Array;
}

const HEARD_PER_SUBJECT_MAX = 50;
/** More than the cluster says itself by far. */
const FRAMES_PER_TURN = 80;
const TURN_MS = 5;
const WHAT_AT = 4;
const WILD = [
  0,
  1,
  2,
  255,
  65_537,
  2 ** 20,
  2 ** 31,
  2 ** 36 + 3,
  2 ** 37,
  2 ** 40,
  2 ** 48,
  2 ** 52,
  2 ** 53 - 1,
];
/**
 * A gateway may write anything, and a shard answer anything: what users read would be what was made up here. So what was
 * heard on these is not changed under a right checksum.
 */
const USERS_DATA: ReadonlySet<string | undefined> = new Set(
  [subjects.request, subjects.reply].map(({ declaration }) => declaration.what[0]),
);

/**
 * A request that was refused, and that its client holds for not done, is carried out if it is said again to whoever leads by
 * then at the ballot that it names. NATS says nothing twice; so neither is this.
 */
const NEVER_AGAIN = subjects.request.declaration.what[0];

type PeerMessage = PeerFrame['messages'][number];

/**
 * What a shard says of its own rows and commit points, in range, nobody can tell from the truth (docs/PROTOCOL.md 4.12): who
 * makes it up loses data. It is repeated, cut and damaged, and not changed under a right checksum.
 */
const OF_ROWS: ReadonlySet<PeerMessage['kind']> = new Set([
  ...(['accepts', 'acceptsSeen', 'accepted', 'promised', 'gap', 'commitPoints'] as const),
  ...(['deltaRequest', 'delta', 'page', 'finish'] as const),
]);

export const isOfRows = ({ kind }: PeerMessage): boolean => OF_ROWS.has(kind);

export class FrameFuzzer {
  /** How many frames were sent, by subject's kind. */
  readonly sent = new Map<string, number>();
  private readonly heard = new Map<string, Heard[]>();
  private readonly links = new Map<Service, NatsLink>();

  private constructor(
    private readonly cluster: string,
    private readonly prng: Prng,
    private readonly madeUp: readonly MadeUp[],
  ) {}

  /** Connects, and listens from now on. */
  static async listen(place: FuzzerPlace, prng: Prng, madeUp: readonly MadeUp[]): Promise<FrameFuzzer> {
    const fuzzer = new FrameFuzzer(place.cluster, prng, madeUp);
    for (const service of SERVICES) {
      const file = join(place.dataFolder, 'nats-passwords', service);
      const identity = { kind: 'passwordFile', user: service, file } as const;
      const options = { servers: place.natsUrl.split(','), name: `fuzzer-${service}`, identity };
      const link = await connectNats(options, UNLOGGED);
      fuzzer.links.set(service, link);
      for (const pattern of permissionsOf(place.cluster, service).subscribe) {
        link.connection.subscribe(pattern, {
          callback: (error, { subject, data }) => {
            if (error === null) fuzzer.note({ subject, data: Uint8Array.from(data) });
          },
        });
      }
    }
    return fuzzer;
  }

  /** For so long, and until so many were said. */
  async run(durationMs: number, framesMin: number): Promise<void> {
    const endsAt = performance.now() + durationMs;
    const all = SERVICES.flatMap((service) =>
      permissionsOf(this.cluster, service).publish.map((pattern) => ({ service, pattern })),
    );
    // What many may say is not said more often.
    const ways = Map.groupBy(all, ({ pattern }) => kindOf(pattern));
    while (performance.now() < endsAt || this.total < framesMin) {
      for (let i = 0; i < FRAMES_PER_TURN; i += 1) this.say(this.pick(this.pick([...ways.values()])));
      await delay(TURN_MS);
    }
    for (const link of this.links.values()) await link.connection.flush();
  }

  get total(): number {
    return [...this.sent.values()].reduce((sum, count) => sum + count, 0);
  }

  async close(): Promise<void> {
    for (const link of this.links.values()) await link.close();
  }

  private note(heard: Heard): void {
    const kind = kindOf(heard.subject);
    const list = this.heard.get(kind) ?? [];
    this.heard.set(kind, list);
    if (list.length < HEARD_PER_SUBJECT_MAX) list.push(heard);
    else list[this.prng.nextBelow(list.length)] = heard;
  }

  private say({ service, pattern }: { service: Service; pattern: string }): void {
    const all = [...this.heard.values()].flat();
    const kind = kindOf(pattern);
    const fitting = all.filter(({ subject }) => matches(pattern, subject));
    const subject = fitting.length > 0 ? this.pick(fitting).subject : this.madeUpSubject(pattern);
    this.links.get(service)?.publish(subject, this.payload(kind, fitting, all));
    this.sent.set(kind, (this.sent.get(kind) ?? 0) + 1);
  }

  private payload(kind: string, fitting: readonly Heard[], all: readonly Heard[]): Uint8Array {
    const { prng } = this;
    const madeUp = this.madeUp.filter(({ what }) => what === kind);
    const choice = prng.nextBelow(10);
    if (choice < 3 && madeUp.length > 0) return this.enveloped(this.pick(madeUp).content);
    if (choice === 3 && all.length > 0) return this.again(this.pick(all));
    if (choice === 4 || fitting.length === 0) return this.garbage();
    return this.mutated(this.pick(fitting), !USERS_DATA.has(kind));
  }

  private again({ subject, data }: Heard): Uint8Array {
    return kindOf(subject) === NEVER_AGAIN ? this.damaged(data) : data;
  }

  private mutated(heard: Heard, mayForge: boolean): Uint8Array {
    const { prng } = this;
    const { data } = heard;
    const opened = openFrame(data);
    const choice = prng.nextBelow(mayForge ? 8 : 4);
    if (choice === 0) return this.again(heard);
    if (choice === 1) return data.subarray(0, prng.nextBelow(Math.max(1, data.length)));
    if (choice === 2) return Buffer.concat([data, Buffer.of(0), this.garbage()]);
    if (opened.kind === 'refused') return this.garbage();
    if (data[0] === 0x7b && mayForge) return this.changedJson(data);
    if (choice === 3) return this.damaged(data);
    const forgeable = withoutRows(opened.content);
    if (forgeable === null) return this.damaged(data);
    const content = prng.nextBelow(4) === 0 ? this.flipped(forgeable) : this.withWildNumber(forgeable);
    return this.enveloped(content);
  }

  /** So that a receiver can tell: a bare frame has no checksum, and a bit of a key or a value in it is as good as another. */
  private damaged(data: Uint8Array): Uint8Array {
    const opened = openFrame(data);
    return opened.kind === 'opened' && opened.understands === null ? this.garbage() : this.flipped(data);
  }

  /** Sealed, or bare. */
  private enveloped(content: Uint8Array): Uint8Array {
    if (this.prng.nextBelow(4) === 0) return content;
    const writer = new ByteWriter();
    reserveEnvelope(writer);
    return sealFrame(Buffer.concat([writer.take(), content]));
  }

  private flipped(data: Uint8Array): Uint8Array {
    const flipped = Uint8Array.from(data);
    for (let i = this.prng.nextBelow(3); i >= 0 && flipped.length > 0; i -= 1) {
      flipped[this.prng.nextBelow(flipped.length)]! ^= 1 << this.prng.nextBelow(8);
    }
    return flipped;
  }

  /** In place of a varint, or of an instant. */
  private withWildNumber(data: Uint8Array): Uint8Array {
    if (data.length < 3) return data;
    // Behind the version and the kind, which nothing gets past.
    const at = 2 + this.prng.nextBelow(Math.min(data.length - 2, 60));
    const wild = this.pick(WILD);
    const writer = new ByteWriter();
    if (this.prng.nextBelow(4) === 0) {
      return Buffer.concat([data.subarray(0, at), writer.float64(wild).take(), data.subarray(at + 8)]);
    }
    let end = at;
    while (end < data.length - 1 && data[end]! >= 0x80) end += 1;
    return Buffer.concat([data.subarray(0, at), writer.varint(wild).take(), data.subarray(end + 1)]);
  }

  private changedJson(data: Uint8Array): Uint8Array {
    const text = Buffer.from(data).toString('utf8');
    const numbers = [...text.matchAll(/[0-9]+/g)];
    if (numbers.length === 0) return data;
    const { index, 0: digits } = this.pick(numbers);
    return Buffer.from(text.slice(0, index) + String(this.pick(WILD)) + text.slice(index + digits.length));
  }

  private garbage(): Uint8Array {
    return Uint8Array.from({ length: this.prng.nextBelow(200) }, () => this.prng.nextBelow(256));
  }

  private madeUpSubject(pattern: string): string {
    const tokens = [...this.heard.values()].flat().flatMap(({ subject }) => subject.split('.').slice(3, 4));
    const token = (): string => (tokens.length === 0 ? '1' : this.pick(tokens));
    return pattern.replaceAll('*', token).replace('>', token);
  }

  private pick<Item>(items: readonly Item[]): Item {
    const item = items[this.prng.nextBelow(items.length)];
    if (item === undefined) throw new RangeError('nothing to pick from');
    return item;
  }
}

/** What is no frame between shards is given as it is; null where nothing is left of one. */
function withoutRows(content: Uint8Array): Uint8Array | null {
  const frame = decodePeerFrame(content);
  if (frame.kind === 'malformed') return content;
  const rest = frame.messages.filter((message) => !isOfRows(message));
  if (rest.length === 0) return null;
  const writer = new ByteWriter();
  startPeerFrame(writer, frame);
  for (const message of rest) appendPeerMessage(writer, message);
  return writer.take();
}

/** Of a subject of the table its word; else (an inbox) the first token. */
function kindOf(subject: string): string {
  const tokens = subject.split('.');
  return tokens[0] === 'rl' ? (tokens[WHAT_AT] ?? '') : (tokens[0] ?? '');
}

function matches(pattern: string, subject: string): boolean {
  const tokens = subject.split('.');
  const wanted = pattern.split('.');
  if (wanted.at(-1) === '>')
    return wanted.slice(0, -1).every((token, i) => token === '*' || token === tokens[i]);
  return wanted.length === tokens.length && wanted.every((token, i) => token === '*' || token === tokens[i]);
}
