/** Whether NATS can be reached at present: what is published meanwhile would wait in the client and arrive late. */
import type { NatsConnection } from '@ringleader/nats';

export class NatsLink {
  private connected = true;

  constructor(
    private readonly connection: NatsConnection,
    private readonly onChange: (isConnected: boolean) => void,
  ) {}

  get isConnected(): boolean {
    return this.connected && !this.connection.isClosed();
  }

  /** Ends with the connection. */
  async follow(): Promise<void> {
    for await (const { type } of this.connection.status()) {
      if (type === 'disconnect') this.change(false);
      else if (type === 'reconnect') this.change(true);
    }
  }

  private change(isConnected: boolean): void {
    if (this.connected === isConnected) return;
    this.connected = isConnected;
    this.onChange(isConnected);
  }
}
