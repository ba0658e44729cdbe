import { Presets, SingleBar } from 'cli-progress';

export interface ProgressDisplay {
  update(bytes: number, lines: number): void;
  stop(): void;
}

const PLAIN_EVERY_MS = 5_000;

/** A rate over the whole run: steadier than one over the last moment, and what the time left is reckoned from. */
class Rate {
  readonly #startedAt = performance.now();

  constructor(private readonly first: number) {}

  perSecond(lines: number): number {
    const elapsed = (performance.now() - this.#startedAt) / 1000;
    return elapsed === 0 ? 0 : Math.round((lines - this.first) / elapsed);
  }
}

/** For a terminal: a bar over the bytes of the input, with lines per second and the time left. */
function bar(totalBytes: number, bytes: number, lines: number): ProgressDisplay {
  const rate = new Rate(lines);
  const format = '{bar} {percentage} % | {lines} lines | {rate} lines/s | {eta_formatted} left';
  const single = new SingleBar(
    { format, stream: process.stderr, hideCursor: true, etaBuffer: 50 },
    Presets.shades_classic,
  );
  single.start(totalBytes, bytes, { lines, rate: 0 });
  return {
    update: (now, count) => {
      single.update(now, { lines: count, rate: rate.perSecond(count) });
    },
    stop: () => {
      single.stop();
    },
  };
}

/** For a log: a line now and then. */
function plain(totalBytes: number | null, lines: number): ProgressDisplay {
  const rate = new Rate(lines);
  let saidAt = performance.now();
  return {
    update: (bytes, count) => {
      if (performance.now() - saidAt < PLAIN_EVERY_MS) return;
      saidAt = performance.now();
      const percent = totalBytes === null ? '' : `${Math.floor((100 * bytes) / Math.max(totalBytes, 1))} %, `;
      process.stderr.write(`${percent}${count} lines, ${rate.perSecond(count)} lines/s\n`);
    },
    stop: () => undefined,
  };
}

/** `totalBytes` null: only the end of the input will tell how much there is. */
export function progressDisplay(totalBytes: number | null, bytes: number, lines: number): ProgressDisplay {
  return process.stderr.isTTY && totalBytes !== null
    ? bar(totalBytes, bytes, lines)
    : plain(totalBytes, lines);
}
