/** Waiting for what the cluster does by itself: `drain --wait`, `verify`. Whoever stops waiting ends nothing. */
import { pauseUnlessAborted } from '@ringleader/timers';
import { CliFailure, EXIT, closed } from './failure.js';
import type { Answer } from './gateway-client.js';
import { Patience } from './retrying.js';

export interface WaitOptions {
  readonly giveUpAfterSeconds: number;
  readonly signal: AbortSignal;
  /** What goes on though nobody waits for it, as a sentence. */
  readonly goesOn: string;
}

export class Wait {
  private readonly patience: Patience;
  private said = '';

  constructor(private readonly options: WaitOptions) {
    this.patience = new Patience(options.giveUpAfterSeconds * 1_000, options.signal);
  }

  /** How far it is, on standard error, where that is news. */
  say(progress: string): void {
    if (progress !== this.said) process.stderr.write(`${progress}\n`);
    this.said = progress;
  }

  /**
   * Asks until somebody answers: a gateway, or the coordinators' leader, may be away for a moment. What it is about was begun,
   * so that nobody knows what becomes of it where they stay away.
   */
  async ask<Body>(read: () => Promise<Answer<Body>>): Promise<Answer<Body>> {
    for (;;) {
      const answer = await read();
      this.throwIfStopped();
      if (!isAway(answer)) {
        this.patience.succeeded();
        return answer;
      }
      this.say('nobody tells at present');
      if (await this.patience.wait(answer.retryAfterMs)) continue;
      this.throwIfStopped();
      throw this.givenUp(answer);
    }
  }

  async pause(ms: number): Promise<void> {
    await pauseUnlessAborted(ms, this.options.signal);
    this.throwIfStopped();
    // While nobody is asked nobody can answer.
    this.patience.succeeded();
  }

  private throwIfStopped(): void {
    if (this.options.signal.aborted)
      throw new CliFailure('It goes on without us.', { exitCode: EXIT.stopped });
  }

  private givenUp({ status, code, detail, requestId }: Answer<unknown>): CliFailure {
    const { giveUpAfterSeconds, goesOn } = this.options;
    const reason = detail ?? code ?? `status ${status}`;
    const sentence = `For ${giveUpAfterSeconds} s nobody has told how far it is (${reason}). ${closed(goesOn)}`;
    return new CliFailure(sentence, {
      exitCode: EXIT.unknown,
      ...(status !== 0 && { status }),
      ...(code !== undefined && { code }),
      ...(requestId !== undefined && { requestId }),
    });
  }
}

const isAway = ({ status }: Answer<unknown>): boolean => status === 0 || status === 429 || status >= 500;
