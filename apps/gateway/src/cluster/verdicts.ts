/** What most failure detectors say, by the coordinators: whoever routes or reports asks here, or listens. */
import {
  Injectable,
  Module,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { VerdictMirror } from '@ringleader/coordination';
import { Coordination, ServiceClock, ServiceLogger } from '@ringleader/service-host';

@Injectable()
export class Verdicts extends VerdictMirror implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(client: Coordination, clock: ServiceClock, logger: ServiceLogger) {
    const onTrouble = (error: Error): void => logger.warn({ error }, 'The verdicts cannot be followed');
    super({ client, clock, onTrouble });
    this.onChange((changed) => logger.info({ changed }, 'Verdicts changed'));
  }

  onApplicationBootstrap(): void {
    void this.start();
  }

  beforeApplicationShutdown(): void {
    this.stop();
  }
}

@Module({ providers: [Verdicts], exports: [Verdicts] })
export class VerdictsModule {}
