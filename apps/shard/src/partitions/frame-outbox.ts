/**
 * All that goes to one destination within a turn of the event loop becomes one frame; a frame that has reached its target
 * size is sent at once and a new one begun.
 */
import { ByteWriter, PIECE_BYTES, reserveEnvelope } from '@ringleader/contracts';

export interface FrameOutboxOptions<Destination> {
  /** Writes the header. */
  readonly start: (writer: ByteWriter) => void;
  readonly send: (destination: Destination, frame: Buffer) => void;
}

/** Writers of destinations that are gone (gateways that were replaced) go with the others when there are so many. */
const WRITERS_MAX = 256;

export class FrameOutbox<Destination> {
  private readonly writers = new Map<Destination, ByteWriter>();
  /** Destinations with a frame begun. */
  private readonly begun = new Set<Destination>();

  constructor(private readonly options: FrameOutboxOptions<Destination>) {}

  /** The frame for the destination, with room for its envelope, and its header written: append one item, then call `appended`. */
  frame(destination: Destination): ByteWriter {
    let writer = this.writers.get(destination);
    if (writer === undefined) {
      writer = new ByteWriter();
      this.writers.set(destination, writer);
    }
    if (writer.length === 0) {
      reserveEnvelope(writer);
      this.options.start(writer);
      this.begun.add(destination);
    }
    return writer;
  }

  /** Will something leave for the destination with the next flush? */
  hasBegun(destination: Destination): boolean {
    return this.begun.has(destination);
  }

  appended(destination: Destination, writer: ByteWriter): void {
    if (writer.length < PIECE_BYTES) return;
    this.begun.delete(destination);
    this.options.send(destination, writer.take());
  }

  flush(): void {
    for (const destination of this.begun) {
      const writer = this.writers.get(destination);
      if (writer !== undefined) this.options.send(destination, writer.take());
    }
    this.begun.clear();
    if (this.writers.size > WRITERS_MAX) this.writers.clear();
  }
}
