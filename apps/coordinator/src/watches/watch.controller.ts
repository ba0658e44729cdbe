import { Controller } from '@nestjs/common';
import { coordinatorContracts } from '@ringleader/contracts';
import type { RequestOf, ResponseOf, Speaker } from '@ringleader/contracts';
import { Handles } from '@ringleader/nats';
import { WatchService } from './watch.service.js';

const { watch, watchStream } = coordinatorContracts;

@Controller()
export class WatchController {
  constructor(private readonly watches: WatchService) {}

  @Handles(watchStream)
  watchStream(
    request: RequestOf<typeof watchStream>,
    speaker: Speaker,
  ): Promise<ResponseOf<typeof watchStream>> {
    return this.watches.stream(request, speaker);
  }

  @Handles(watch)
  watch(request: RequestOf<typeof watch>): Promise<ResponseOf<typeof watch>> {
    return this.watches.poll(request);
  }
}
