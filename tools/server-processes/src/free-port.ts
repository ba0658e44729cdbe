import { createServer, type AddressInfo, type Server } from 'node:net';

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
  });
}

/**
 * Distinct TCP ports of the loopback interface that nobody listens on. The kernel hands out ephemeral ports in no
 * hurry to repeat them, so the moment between closing these probes and the servers' own bind is harmless in practice.
 */
export async function freePorts(count: number): Promise<number[]> {
  const probes = Array.from({ length: count }, () => createServer());
  // All at once: a port that was given back could be the next one handed out.
  await Promise.all(probes.map((probe) => listen(probe, 0, '127.0.0.1')));
  const ports = probes.map((probe) => (probe.address() as AddressInfo).port);
  await Promise.all(probes.map(close));
  return ports;
}

export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1);
  return port;
}

/** Whether a server could listen there now. Any failure but "in use" is the caller's to see. */
export async function portIsFree(port: number, host: string): Promise<boolean> {
  const probe = createServer();
  try {
    await listen(probe, port, host);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return false;
    throw error;
  }
  await close(probe);
  return true;
}
