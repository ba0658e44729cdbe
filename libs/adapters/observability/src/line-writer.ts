/**
 * Log lines on a descriptor, which must never stop a process: a disk that is full, a pipe that nobody empties or that is
 * closed. What cannot be written is lost, and how much was is told when there is room again.
 */
import { writeSync } from 'node:fs';

/** A pipe is full: whoever reads it is given so long in all, and then nothing until there is room. */
const PIPE_WAITS = 10;
const PIPE_WAIT_MS = 10;

type WriteTo = (bytes: Buffer, from: number) => number;

export class LineWriter {
  private lost = 0;
  /** A line was written in part. */
  private isTorn = false;

  /** `tells` gives the line that tells how many were lost. */
  constructor(
    private readonly tells: (lost: number) => string,
    private readonly writeTo: WriteTo = (bytes, from) => writeSync(process.stdout.fd, bytes, from),
  ) {}

  write(line: string): void {
    if (this.lost > 0 && this.put(this.tells(this.lost))) this.lost = 0;
    if (this.lost > 0 || !this.put(line)) this.lost += 1;
  }

  private put(line: string): boolean {
    const bytes = Buffer.from(this.isTorn ? `\n${line}` : line);
    let written = 0;
    for (let waits = 0; written < bytes.length;) {
      try {
        written += this.writeTo(bytes, written);
      } catch (error) {
        const isFullPipe = (error as NodeJS.ErrnoException).code === 'EAGAIN';
        if (!isFullPipe || this.lost > 0 || waits === PIPE_WAITS) {
          this.isTorn ||= written > 0;
          return false;
        }
        waits += 1;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PIPE_WAIT_MS);
      }
    }
    this.isTorn = false;
    return true;
  }
}
