/**
 * The values of cached rows, in memory of the cache's own: a view of a frame that was received would keep the whole frame,
 * sixty kilobytes for a hundred bytes. Small values lie together in slabs, which stay until the last of their values is let
 * go; what slabs take counts as long.
 */
const SLAB_BYTES = 2_048;
const SMALL_BYTES_MAX = SLAB_BYTES / 4;
/** Of an array buffer besides its bytes: objects inside and outside of the heap. */
const BUFFER_BYTES = 300;

export class CachedValues {
  private slab = new Uint8Array(0);
  private slabUsed = 0;
  private readonly uses = new Map<ArrayBufferLike, number>();
  private bytes = 0;

  get heldBytes(): number {
    return this.bytes;
  }

  /** A copy, until it is released; or itself, where it fills most of what it lies in. */
  hold(value: Uint8Array): Uint8Array {
    const held = fillsItsBuffer(value) ? value : this.copy(value);
    const { buffer } = held;
    const uses = this.uses.get(buffer) ?? 0;
    if (uses === 0) this.bytes += buffer.byteLength + BUFFER_BYTES;
    this.uses.set(buffer, uses + 1);
    return held;
  }

  private copy(value: Uint8Array): Uint8Array {
    const copy = this.place(value.length);
    copy.set(value);
    return copy;
  }

  release({ buffer }: Uint8Array): void {
    const uses = this.uses.get(buffer) ?? 0;
    if (uses > 1) {
      this.uses.set(buffer, uses - 1);
      return;
    }
    if (!this.uses.delete(buffer)) return;
    this.bytes -= buffer.byteLength + BUFFER_BYTES;
    // Nobody counts on it any more: the next value begins another one.
    if (buffer === this.slab.buffer) this.slabUsed = SLAB_BYTES;
  }

  private place(length: number): Uint8Array {
    if (length > SMALL_BYTES_MAX) return new Uint8Array(length);
    if (this.slabUsed + length > this.slab.length) {
      this.slab = new Uint8Array(SLAB_BYTES);
      this.slabUsed = 0;
    }
    const from = this.slabUsed;
    this.slabUsed += length;
    return this.slab.subarray(from, this.slabUsed);
  }
}

function fillsItsBuffer({ length, buffer }: Uint8Array): boolean {
  return length > SLAB_BYTES && length > 0.75 * buffer.byteLength;
}
