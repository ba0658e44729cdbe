import { freePorts, portIsFree } from '@ringleader/server-processes';
import { probePortsNeeded } from './services.js';
import { StartError } from './start-error.js';
import type { ClusterOptions } from './options.js';

export interface ClusterPorts {
  readonly gateways: readonly number[];
  readonly nats: number;
  readonly postgres: readonly number[];
  readonly probes: readonly number[];
}

async function gatewayPorts({ port, gateways }: ClusterOptions): Promise<number[]> {
  if (port === 0) return freePorts(gateways);
  const ports = Array.from({ length: gateways }, (_, i) => port + i);
  for (const wanted of ports) {
    if (await free(wanted)) continue;
    throw new StartError(
      `Port ${wanted} is taken: stop the program that listens there, or choose another with --port.`,
    );
  }
  return ports;
}

async function free(port: number): Promise<boolean> {
  try {
    return await portIsFree(port, '127.0.0.1');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error;
    throw new StartError(
      `Port ${port} is reserved for the administrator: choose one above 1023 with --port.`,
      { cause: error },
    );
  }
}

export async function choosePorts(options: ClusterOptions): Promise<ClusterPorts> {
  const gateways = await gatewayPorts(options);
  const count = 1 + options.shards + probePortsNeeded(options.coordinators, options.shards);
  const ports: number[] = [];
  // Two more than needed at most: a free port might be one that a gateway is about to take.
  for (const port of await freePorts(count + gateways.length)) if (!gateways.includes(port)) ports.push(port);
  const [nats = 0, ...rest] = ports;
  return { gateways, nats, postgres: rest.slice(0, options.shards), probes: rest.slice(options.shards) };
}
