import { describe, expect, it } from '@jest/globals';
import { type ClusterPlan, planServices, probePortsNeeded } from './services.js';

describe('planServices', () => {
  const wanted: ClusterPlan = {
    natsUrl: 'nats://n',
    natsPasswordFolder: '/p',
    postgresUrls: ['postgres://a', 'postgres://b', 'postgres://c'],
    dataFolder: '/d',
    coordinators: 3,
    initialShards: 3,
    isNew: true,
    gatewayPorts: [8080, 8081],
    probePorts: Array.from(
      { length: probePortsNeeded({ coordinators: 3, shards: 3, gateways: 2 }) },
      (_, i) => 1000 + i,
    ),
  };
  const plan = planServices(wanted);

  it('names every member once and gives each a port of its own', () => {
    expect(plan.map(({ member }) => member)).toEqual([
      ...['coordinator-1', 'coordinator-2', 'coordinator-3', 'shard-1', 'shard-2', 'shard-3'],
      ...['gateway-1', 'gateway-2', 'failure-detector-1', 'failure-detector-2', 'failure-detector-3'],
    ]);
    expect(new Set(plan.map(({ port }) => port)).size).toBe(plan.length);
    expect(plan.every(({ port }) => port > 0)).toBe(true);
    const probes = plan.map(({ env }) => Number(env['RINGLEADER_PROBE_PORT']));
    expect(new Set([...probes, ...wanted.gatewayPorts]).size).toBe(plan.length + 2);
    expect(probes.every((port) => port >= 1000)).toBe(true);
  });

  it('gives each service what it needs to know', () => {
    const env = Object.fromEntries(plan.map((service) => [service.member, service.env]));
    expect(env['coordinator-2']).toEqual({
      RINGLEADER_CLUSTER: 'local',
      RINGLEADER_NATS_URL: 'nats://n',
      RINGLEADER_NATS_USER: 'coordinator',
      RINGLEADER_NATS_PASSWORD_FILE: '/p/coordinator',
      RINGLEADER_MEMBER: 'coordinator-2',
      RINGLEADER_PROBE_PORT: '1001',
      RINGLEADER_COORDINATOR_ID: '2',
      RINGLEADER_COORDINATOR_COUNT: '3',
      RINGLEADER_DATA_DIR: '/d/coordinator-2',
      RINGLEADER_INITIAL_SHARDS: '3',
      RINGLEADER_BOOTSTRAP: 'new-cluster',
    });
    expect(env['shard-3']).toMatchObject({
      RINGLEADER_POSTGRES_URL: 'postgres://c',
      RINGLEADER_MEMBER: 'shard-3',
    });
    expect(env['gateway-2']).toEqual({
      RINGLEADER_CLUSTER: 'local',
      RINGLEADER_NATS_URL: 'nats://n',
      RINGLEADER_NATS_USER: 'gateway',
      RINGLEADER_NATS_PASSWORD_FILE: '/p/gateway',
      RINGLEADER_MEMBER: 'gateway-2',
      RINGLEADER_PROBE_PORT: '1007',
      RINGLEADER_HTTP_HOST: '127.0.0.1',
      RINGLEADER_HTTP_PORT: '8081',
    });
  });

  it('gives the word that founds a cluster to one that is new, and to no other', () => {
    const words = planServices({ ...wanted, isNew: false }).map(({ env }) => env['RINGLEADER_BOOTSTRAP']);
    expect(words.filter((word) => word !== undefined)).toEqual([]);
  });
});
