/**
 * Long frames to many destinations, in pieces, each destination at its own pace (libs/contracts, piece-frame.ts). No more
 * than a window of pieces is on its way to a destination; the rest waits here, not yet encoded, so that short frames
 * sent meanwhile have no more than a window before them, and a slow receiver slows its sender down. The receiver may keep
 * receipts back while it has no room.
 */
import {
  decodePiece,
  decodeReceipt,
  encodePiece,
  encodeReceipt,
  frameKindOf,
  memoryForPiece,
  type Piece,
  type Receipt,
} from '@ringleader/contracts';
import type { MonotonicMs } from '@ringleader/primitives';

export interface Parcel {
  /** About what it has: what is counted while it waits. */
  readonly bytes: number;
  /** What it is about (partitions): shorter frames about the same must not overtake it. */
  readonly topics: readonly number[];
  /** The frame without an envelope, in parts that do not change any more. */
  encode(): readonly Uint8Array[];
}

export interface ParcelsOptions {
  /** Frames have room for their envelope, here and for receipts. */
  readonly publish: (to: string, frame: Buffer) => void;
  readonly publishReceipt: (to: string, frame: Buffer) => void;
  readonly monotonicMs: () => MonotonicMs;
  /** A first number, so that receipts for an earlier life of this process mean nothing. */
  readonly firstParcel: number;
  /** False: receipts wait for `giveReceipts`. */
  readonly hasRoom?: () => boolean;
  /** The destination has taken something, or what it did not take is given up: either makes room. */
  readonly onProgress?: (to: string) => void;
}

interface Waiting {
  readonly parcel: Parcel;
  readonly since: MonotonicMs;
}

interface Current extends Waiting {
  readonly id: number;
  readonly parts: readonly Uint8Array[];
  readonly totalBytes: number;
  offset: number;
}

/** A piece that was sent and not receipted. */
interface Sent {
  readonly parcel: number;
  readonly end: number;
  readonly bytes: number;
  readonly since: MonotonicMs;
  readonly memory: Buffer;
}

interface Destination {
  waiting: Waiting[];
  waitingBytes: number;
  current: Current | null;
  sent: Sent[];
  sentBytes: number;
  heardAt: MonotonicMs;
  /** Stalls since anything was heard. */
  stalls: number;
  readonly topics: Map<number, number>;
}

interface Assembly {
  readonly parcel: number;
  readonly frame: Buffer;
  received: number;
  receiptedTo: number;
  lastAt: MonotonicMs;
}

/** Pieces on their way to one destination. */
export const WINDOW_BYTES = 1024 * 1024;
/**
 * The length of a piece. What arrives comes out of a socket 64 KiB at a time: a shorter piece mostly lies in one of them, a
 * longer one is put together by the client, in memory that grows twice.
 */
export const CUT_BYTES = 60 * 1024;
const SPARE_PIECES = (2 * WINDOW_BYTES) / CUT_BYTES;
/** So much of a frame is receipted at once; its end is in any case, and what comes slowly piece by piece. */
const RECEIPT_BYTES = WINDOW_BYTES / 4;
const RECEIPT_MS = 200;
/** Without any receipt for so long, what is on its way counts as lost; the second time, what waits is dropped as well. */
const STALL_MS = 1_500;
/** An unfinished frame whose pieces stopped coming is dropped. */
const ASSEMBLY_MS = 10_000;
const SWEEP_MS = 500;
/** A receipt for nothing, while receipts are kept back: what was sent is not lost. */
const STILL_HERE = { parcel: 0, end: 0 };

export class Parcels {
  private readonly destinations = new Map<string, Destination>();
  private readonly assemblies = new Map<string, Assembly>();
  private readonly receiptsDue = new Map<string, Receipt>();
  /** Of those who have sent something lately. */
  private readonly receiptedAt = new Map<string, MonotonicMs>();
  /** Of pieces that were receipted, and so have left: to be written over. */
  private readonly spare: Buffer[] = [];
  private lastParcel: number;
  private lostTotal = 0;
  private timer: NodeJS.Timeout | null = null;

  constructor(private readonly options: ParcelsOptions) {
    this.lastParcel = options.firstParcel;
  }

  /** Parcels that were given up, here or unfinished from others. */
  get lost(): number {
    return this.lostTotal;
  }

  /** Does anything wait, or is on its way, to whomever? */
  get isCarrying(): boolean {
    for (const { waitingBytes, sentBytes } of this.destinations.values()) {
      if (waitingBytes + sentBytes > 0) return true;
    }
    return false;
  }

  /** What waits for the destination or is on its way there. */
  backlogBytes(to: string): number {
    const destination = this.destinations.get(to);
    return destination === undefined ? 0 : destination.waitingBytes + destination.sentBytes;
  }

  /** Since when the oldest of it waits; Infinity where nothing does. */
  heldSince(to: string): MonotonicMs {
    const destination = this.destinations.get(to);
    if (destination === undefined) return Number.POSITIVE_INFINITY;
    const { sent, current, waiting } = destination;
    return (sent[0] ?? current ?? waiting[0])?.since ?? Number.POSITIVE_INFINITY;
  }

  /** Does something about one of these topics still wait here? Then what follows it must wait behind it. */
  holdsAny(to: string, topics: readonly number[]): boolean {
    const destination = this.destinations.get(to);
    if (destination === undefined || destination.topics.size === 0) return false;
    return topics.some((topic) => destination.topics.has(topic));
  }

  send(to: string, parcel: Parcel): void {
    let destination = this.destinations.get(to);
    if (destination === undefined) {
      destination = newDestination();
      this.destinations.set(to, destination);
    }
    destination.waiting.push({ parcel, since: this.options.monotonicMs() });
    destination.waitingBytes += parcel.bytes;
    for (const topic of parcel.topics) {
      destination.topics.set(topic, (destination.topics.get(topic) ?? 0) + 1);
    }
    this.pump(to, destination);
    this.planSweep();
  }

  /** Of what came out of its envelope gives what is whole: itself, unless it is a piece or a receipt. */
  take(from: string, frame: Uint8Array): Uint8Array | null {
    const kind = frameKindOf(frame);
    if (kind === 'piece') {
      const piece = decodePiece(frame);
      return piece.kind === 'malformed' ? frame : this.takePiece(from, piece);
    }
    if (kind === 'receipt') {
      const receipt = decodeReceipt(frame);
      if (receipt.kind === 'malformed') return frame;
      this.takeReceipt(from, receipt);
      return null;
    }
    return frame;
  }

  /** There is room again. */
  giveReceipts(): void {
    for (const [from, receipt] of this.receiptsDue) this.options.publishReceipt(from, encodeReceipt(receipt));
    this.receiptsDue.clear();
  }

  /** Gives up what nobody takes, and what nobody completes. Runs by itself while there is anything. */
  sweep(): void {
    const now = this.options.monotonicMs();
    for (const [to, destination] of this.destinations) {
      if (destination.sent.length > 0 && now - destination.heardAt >= STALL_MS) this.stall(to, destination);
      else if (destination.sent.length === 0 && destination.current === null) this.destinations.delete(to);
    }
    this.forgetSenders(now);
    for (const from of this.receiptsDue.keys()) this.options.publishReceipt(from, encodeReceipt(STILL_HERE));
    if (this.destinations.size + this.assemblies.size + this.receiptsDue.size > 0) this.planSweep();
  }

  private forgetSenders(now: MonotonicMs): void {
    for (const [from, { lastAt }] of this.assemblies) {
      if (now - lastAt < ASSEMBLY_MS) continue;
      this.assemblies.delete(from);
      this.lostTotal += 1;
    }
    for (const [from, at] of this.receiptedAt) {
      if (now - at >= ASSEMBLY_MS) this.receiptedAt.delete(from);
    }
  }

  close(): void {
    if (this.timer !== null) clearTimeout(this.timer);
  }

  /** The connection broke: what was on its way is lost, most likely. */
  reconnected(): void {
    for (const [to, destination] of this.destinations) this.giveUpSent(to, destination);
  }

  private planSweep(): void {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.sweep();
    }, SWEEP_MS).unref();
  }

  private stall(to: string, destination: Destination): void {
    destination.stalls += 1;
    if (destination.stalls > 1) {
      this.lostTotal += destination.waiting.length + (destination.current === null ? 0 : 1);
      this.destinations.delete(to);
      this.options.onProgress?.(to);
    } else {
      this.giveUpSent(to, destination);
    }
  }

  private giveUpSent(to: string, destination: Destination): void {
    destination.sent = [];
    destination.sentBytes = 0;
    const { current } = destination;
    // Its first pieces may be gone: from the start again, as another.
    if (current !== null) destination.current = { ...current, id: this.nextParcel(), offset: 0 };
    this.pump(to, destination);
    this.options.onProgress?.(to);
  }

  private pump(to: string, destination: Destination): void {
    const now = this.options.monotonicMs();
    while (destination.sentBytes < WINDOW_BYTES) {
      const current = destination.current ?? this.begin(destination);
      if (current === null) return;
      if (destination.sent.length === 0) destination.heardAt = now;
      const { id: parcel, totalBytes, offset, since } = current;
      const end = Math.min(offset + CUT_BYTES, totalBytes);
      const memory = this.spare.pop() ?? memoryForPiece(CUT_BYTES);
      const bytes = slicesOf(current.parts, offset, end);
      this.options.publish(to, encodePiece({ parcel, totalBytes, offset, bytes }, memory));
      destination.sent.push({ parcel, end, bytes: end - offset, since, memory });
      destination.sentBytes += end - offset;
      current.offset = end;
      if (end === totalBytes) this.finish(destination, current);
    }
  }

  private begin(destination: Destination): Current | null {
    const next = destination.waiting.shift();
    if (next === undefined) return null;
    const parts = next.parcel.encode();
    const totalBytes = parts.reduce((sum, { length }) => sum + length, 0);
    const current = { ...next, id: this.nextParcel(), parts, totalBytes, offset: 0 };
    destination.current = current;
    return current;
  }

  private finish(destination: Destination, { parcel }: Current): void {
    destination.current = null;
    destination.waitingBytes -= parcel.bytes;
    for (const topic of parcel.topics) {
      const others = (destination.topics.get(topic) ?? 1) - 1;
      if (others === 0) destination.topics.delete(topic);
      else destination.topics.set(topic, others);
    }
  }

  private takePiece(from: string, piece: Piece): Uint8Array | null {
    const end = piece.offset + piece.bytes.length;
    const receipt: Receipt = { kind: 'receipt', parcel: piece.parcel, end };
    const assembly = piece.offset === 0 ? this.beginAssembly(from, piece) : this.assemblies.get(from);
    if (assembly === undefined || !continues(assembly, piece)) {
      this.receipt(from, receipt);
      return null;
    }
    assembly.frame.set(piece.bytes, piece.offset);
    assembly.received = end;
    assembly.lastAt = this.options.monotonicMs();
    // Each stands for all before it.
    const isWanted = end === piece.totalBytes || end - assembly.receiptedTo >= RECEIPT_BYTES;
    if (isWanted || assembly.lastAt - (this.receiptedAt.get(from) ?? 0) >= RECEIPT_MS) {
      assembly.receiptedTo = end;
      this.receipt(from, receipt);
    }
    if (end < piece.totalBytes) return null;
    this.assemblies.delete(from);
    return assembly.frame;
  }

  private receipt(from: string, receipt: Receipt): void {
    if (this.options.hasRoom?.() ?? true) {
      this.receiptsDue.delete(from);
      this.receiptedAt.set(from, this.options.monotonicMs());
      this.options.publishReceipt(from, encodeReceipt(receipt));
    } else {
      this.receiptsDue.set(from, receipt);
      this.planSweep();
    }
  }

  /** One at a time from each sender: an unfinished one before it has lost a piece. */
  private beginAssembly(from: string, { parcel, totalBytes }: Piece): Assembly {
    if (this.assemblies.has(from)) this.lostTotal += 1;
    const frame = Buffer.allocUnsafeSlow(totalBytes);
    const assembly = { parcel, frame, received: 0, receiptedTo: 0, lastAt: this.options.monotonicMs() };
    this.assemblies.set(from, assembly);
    this.planSweep();
    return assembly;
  }

  private takeReceipt(from: string, { parcel, end }: Receipt): void {
    const destination = this.destinations.get(from);
    if (destination === undefined) return;
    destination.heardAt = this.options.monotonicMs();
    destination.stalls = 0;
    const index = destination.sent.findIndex((sent) => sent.parcel === parcel && sent.end === end);
    if (index < 0) return;
    for (const { bytes, memory } of destination.sent.splice(0, index + 1)) {
      destination.sentBytes -= bytes;
      if (this.spare.length < SPARE_PIECES) this.spare.push(memory);
    }
    this.pump(from, destination);
    this.options.onProgress?.(from);
  }

  private nextParcel(): number {
    this.lastParcel += 1;
    return this.lastParcel;
  }
}

function continues(assembly: Assembly, { parcel, totalBytes, offset }: Piece): boolean {
  return assembly.parcel === parcel && assembly.received === offset && assembly.frame.length === totalBytes;
}

/** What lies between two places of the parts, as if they were one. */
function slicesOf(parts: readonly Uint8Array[], start: number, end: number): Uint8Array[] {
  const slices: Uint8Array[] = [];
  let at = 0;
  for (const part of parts) {
    if (at < end && at + part.length > start) slices.push(part.subarray(Math.max(0, start - at), end - at));
    at += part.length;
  }
  return slices;
}

function newDestination(): Destination {
  return {
    waiting: [],
    waitingBytes: 0,
    current: null,
    sent: [],
    sentBytes: 0,
    heardAt: 0,
    stalls: 0,
    topics: new Map(),
  };
}
