import getPort from 'get-port';

const host = '127.0.0.1';

/** A TCP port of the loopback interface that nobody listens on; none twice within some seconds. */
export const freePort = (): Promise<number> => getPort({ host });

export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) ports.push(await freePort());
  return ports;
}

/** Whether a server of this user could listen there now. */
export const portIsFree = async (port: number): Promise<boolean> => (await getPort({ host, port })) === port;
