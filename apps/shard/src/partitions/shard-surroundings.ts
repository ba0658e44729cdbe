import { Injectable } from '@nestjs/common';
import { Coordination, HostSigns } from '@ringleader/service-host';
import { ShardConfig } from '../shard.config.js';

/** What a shard has of its process. */
@Injectable()
export class ShardSurroundings {
  constructor(
    readonly config: ShardConfig,
    readonly coordination: Coordination,
    /** Its log, its probes, and where it says that it cannot go on. */
    readonly signs: HostSigns,
  ) {}
}
