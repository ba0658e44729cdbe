/**
 * Whether the nats-server is still there. A server that says anything is; only one that has been silent since the last look
 * is asked (a ping, which costs both sides and whoever runs beside them more than the look). The library's own pings are sent
 * however much is heard.
 */
export interface PingSettings {
  readonly intervalMs: number;
  /** After so many pings, at the next look, a server that was silent all the time is given up. */
  readonly unansweredMax: number;
}

/** What is looked at. */
export interface WatchedServer {
  /** Messages that came from it so far. */
  messages(): number;
  /** Settles when it has answered, or when the connection broke. */
  ping(): Promise<unknown>;
  giveUp(): void;
}

export class ServerWatch {
  private messagesSeen = -1;
  private hasAnswered = false;
  private unanswered = 0;

  constructor(
    private readonly server: WatchedServer,
    private readonly unansweredMax: number,
  ) {}

  /** To be called once in each interval while there is a connection. */
  look(): void {
    const messages = this.server.messages();
    if (messages !== this.messagesSeen || this.hasAnswered) {
      this.messagesSeen = messages;
      this.hasAnswered = false;
      this.unanswered = 0;
    } else if (this.unanswered >= this.unansweredMax) {
      this.unanswered = 0;
      this.server.giveUp();
    } else {
      this.unanswered += 1;
      const answered = (): void => {
        this.hasAnswered = true;
      };
      this.server.ping().then(answered, answered);
    }
  }
}
