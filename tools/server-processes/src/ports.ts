import { randomInt } from 'node:crypto';
import getPort from 'get-port';

const host = '127.0.0.1';

/**
 * Below those that operating systems give to outgoing connections (Linux: from 32,768 on): while a server is started again
 * no connection can take its port. Drawn, so that clusters that start side by side seldom try the same.
 */
const FIRST = 15_000;
const LAST = 31_999;
const DRAWN = 16;

/** A TCP port of the loopback interface that nobody listens on; none twice within some seconds. */
export const freePort = (): Promise<number> =>
  getPort({ host, port: Array.from({ length: DRAWN }, () => randomInt(FIRST, LAST + 1)) });

export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) ports.push(await freePort());
  return ports;
}

/** Whether a server of this user could listen there now. */
export const portIsFree = async (port: number): Promise<boolean> => (await getPort({ host, port })) === port;
