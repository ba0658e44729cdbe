import { Injectable } from '@nestjs/common';
import type { ShardOrdinal } from '@ringleader/primitives';

/** Whom failure detectors suspect, as whoever listens to them tells. */
@Injectable()
export class Suspects {
  isSuspect: (shard: ShardOrdinal) => boolean = () => false;
}
