import { freePorts, portIsFree } from '@ringleader/server-processes';
import type { ClusterOptions } from './options.js';
import { probePortsNeeded } from './services.js';
import { StartError } from './terminal.js';

export interface ClusterPorts {
  readonly gateways: readonly number[];
  readonly nats: readonly number[];
  /** Where nats-servers hear each other; none for a single one. */
  readonly natsRoutes: readonly number[];
  readonly probes: readonly number[];
}

async function gatewayPorts({ port, gateways }: ClusterOptions): Promise<number[]> {
  if (port === 0) return freePorts(gateways);
  const ports = Array.from({ length: gateways }, (_, i) => port + i);
  for (const wanted of ports) {
    if (await portIsFree(wanted)) continue;
    const reserved = wanted < 1024 && process.getuid?.() !== 0;
    const reason = reserved
      ? 'is taken, or reserved for the administrator: choose another'
      : 'is taken: stop the program that listens there, or choose another';
    throw new StartError(`Port ${wanted} ${reason} with --port.`);
  }
  return ports;
}

export async function choosePorts(options: ClusterOptions): Promise<ClusterPorts> {
  const gateways = await gatewayPorts(options);
  return {
    gateways,
    nats: await freePorts(options.nats),
    natsRoutes: options.nats === 1 ? [] : await freePorts(options.nats),
    probes: await freePorts(probePortsNeeded(options)),
  };
}
