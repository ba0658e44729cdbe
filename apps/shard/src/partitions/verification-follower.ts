/**
 * Verification on demand (docs/PROTOCOL.md 4.13): what the coordinators have under its key is begun in the core, and what
 * the core has done for it is said to the coordinators' leader, all of it again and again, since that leader may be new.
 */
import {
  OperationalError,
  VERIFICATION_KEY,
  type Verification,
  verificationSchema,
} from '@ringleader/contracts';
import { type Coordinator, RecordMirror } from '@ringleader/coordination';
import { type Logger, systemClock } from '@ringleader/observability';
import type { VerificationRun } from '@ringleader/paxos';
import type { ShardDriver } from './shard-driver.js';
import { UNREADABLE } from './unreadable.js';

const REPORT_INTERVAL_MS = 500;
const NOTHING: VerificationRun = { run: null, partitions: [] };

export type VerifyingDriver = Pick<ShardDriver, 'verify' | 'verified'>;

export class VerificationFollower {
  private readonly mirror: RecordMirror<typeof verificationSchema>;
  private driver: VerifyingDriver | null = null;
  /** The verification that is under way. */
  private run: string | null = null;
  private timer: NodeJS.Timeout | null = null;
  private isReporting = false;

  constructor(
    private readonly client: Coordinator,
    private readonly logger: Logger,
  ) {
    this.mirror = new RecordMirror({
      ...{ client, clock: systemClock, key: VERIFICATION_KEY, schema: verificationSchema },
      onChange: (verification) => this.take(verification),
      onTrouble: (error) => logger.debug({ error }, 'Verifications cannot be followed'),
      onUnreadable: (error) => logger.warn({ error }, UNREADABLE),
    });
  }

  /** Records that this version cannot read. */
  get unreadable(): number {
    return Number(this.mirror.isUnreadable);
  }

  start(): void {
    void this.mirror.start();
  }

  stop(): void {
    this.mirror.stop();
    this.follow(null);
  }

  /** Null while there is no life. */
  follow(driver: VerifyingDriver | null): void {
    this.driver = driver;
    if (this.run !== null) driver?.verify(this.run);
    this.arm();
  }

  private take(verification: Verification | null): void {
    this.run = verification?.endedAt === null ? verification.id : null;
    this.driver?.verify(this.run);
    this.arm();
  }

  private arm(): void {
    const isWanted = this.run !== null && this.driver !== null;
    if (isWanted === (this.timer !== null)) return;
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = isWanted ? setInterval(() => void this.report(), REPORT_INTERVAL_MS) : null;
  }

  private async report(): Promise<void> {
    const { run, partitions } = this.driver?.verified() ?? NOTHING;
    if (run === null || run !== this.run || partitions.length === 0 || this.isReporting) return;
    this.isReporting = true;
    try {
      await this.client.ask('reportVerification', { id: run, partitions: [...partitions] });
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      this.logger.debug({ error }, 'What was compared is not reported');
    } finally {
      this.isReporting = false;
    }
  }
}
