/** What the other detectors say: how many of them there are, and whom they suspect. */
import type { VerdictReport } from '@ringleader/contracts';
import type { FailureDetector } from '@ringleader/failure-detection';
import type { MonotonicMs } from '@ringleader/primitives';
import { memberName } from './member-name.js';

/** Six reports in a row were lost, or the detector is gone. */
const SILENCE_MAX_MS = 1_500;

export class PeerDetectors {
  readonly #self: string;
  readonly #detector: FailureDetector;
  readonly #lastReportAt = new Map<string, MonotonicMs>();

  constructor(self: string, detector: FailureDetector) {
    this.#self = self;
    this.#detector = detector;
  }

  take({ detector, members }: VerdictReport, now: MonotonicMs): void {
    if (detector === this.#self) return;
    this.#lastReportAt.set(detector, now);
    for (const { service, id, verdict } of members) {
      const suspects = verdict === 'suspect' || verdict === 'down';
      this.#detector.confirm(memberName({ service, id }), detector, suspects);
    }
  }

  /** Those that still report. */
  count(now: MonotonicMs): number {
    for (const [detector, at] of this.#lastReportAt) {
      if (now - at > SILENCE_MAX_MS) this.#lastReportAt.delete(detector);
    }
    return this.#lastReportAt.size;
  }
}
