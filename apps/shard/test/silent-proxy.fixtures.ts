import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/**
 * Stands before a server, and from some moment on carries nothing any more and says nothing, also on new connections: as a
 * machine that is gone, where nobody is left to refuse anything.
 */
export class SilentProxy {
  /** How often the server may still be heard, on whichever connection. */
  answersLeft = Number.POSITIVE_INFINITY;
  private readonly sockets = new Set<Socket>();
  private readonly server = createServer((near) => {
    this.keep(near);
    if (this.answersLeft <= 0) return;
    const far = this.keep(connect(this.port, '127.0.0.1'));
    near.pipe(far);
    far.on('data', (bytes: Buffer) => {
      this.answersLeft -= 1;
      if (this.answersLeft >= 0) near.write(bytes);
      if (this.answersLeft <= 0) near.unpipe(far);
    });
  });

  constructor(private readonly port: number) {}

  /** Gives the URL of the server as seen through it. */
  async listen(url: string): Promise<string> {
    await once(this.server.listen(0, '127.0.0.1'), 'listening');
    const { port } = this.server.address() as AddressInfo;
    return Object.assign(new URL(url), { hostname: '127.0.0.1', port: String(port) }).href;
  }

  get connections(): number {
    return this.sockets.size;
  }

  /** All connections end. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  close(): void {
    this.cut();
    this.server.close();
  }

  private keep(socket: Socket): Socket {
    this.sockets.add(socket);
    socket.on('error', () => socket.destroy());
    return socket.once('close', () => this.sockets.delete(socket));
  }
}
