import type { Revision } from '@ringleader/primitives';

/** So often within its rest a tombstone is looked at. */
const LOOKS_PER_REST = 4;

/** Revisions that all have, as of some time ago. */
export class RestingPoints {
  /** Something was purged since the others were told how far. */
  isUntold = false;
  private readonly points: { readonly at: number; readonly revision: Revision }[] = [];

  isDue(now: number, restMs: number): boolean {
    const last = this.points.at(-1);
    return last === undefined || now >= last.at + restMs / LOOKS_PER_REST;
  }

  add(now: number, revision: Revision): void {
    this.points.push({ at: now, revision });
  }

  /** The greatest that has rested; 0 is none. */
  rested(now: number, restMs: number): Revision {
    let revision = 0;
    while (this.points[0] !== undefined && this.points[0].at + restMs <= now) {
      revision = this.points[0].revision;
      this.points.shift();
    }
    return revision;
  }
}
