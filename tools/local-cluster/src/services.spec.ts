import { describe, expect, it } from '@jest/globals';
import { type ClusterPlan, planServices } from './services.js';

describe('planServices', () => {
  const wanted: ClusterPlan = {
    dataFolder: '/d',
    layout: { formatVersion: 1, coordinators: 3, shards: 3, initialShards: 3 },
    natsUrl: 'nats://127.0.0.1:4222,nats://127.0.0.1:4223',
    gatewayPorts: [8080, 8081],
    postgresUrls: ['postgres://a', 'postgres://b', 'postgres://c'],
  };
  const plan = planServices(wanted);

  it('names every member once', () => {
    expect(plan.map(({ member }) => member)).toEqual([
      ...['coordinator-1', 'coordinator-2', 'coordinator-3', 'shard-1', 'shard-2', 'shard-3'],
      ...['gateway-1', 'gateway-2', 'failure-detector-1', 'failure-detector-2', 'failure-detector-3'],
    ]);
    expect(plan.flatMap(({ port }) => port ?? [])).toEqual([8080, 8081]);
  });

  it('gives each service what it needs to know', () => {
    const env = Object.fromEntries(plan.map((service) => [service.member, service.env]));
    expect(env['coordinator-2']).toEqual({
      RINGLEADER_CLUSTER: 'local',
      RINGLEADER_NATS_URL: 'nats://127.0.0.1:4222,nats://127.0.0.1:4223',
      RINGLEADER_NATS_USER: 'coordinator',
      RINGLEADER_NATS_PASSWORD_FILE: '/d/nats-passwords/coordinator',
      RINGLEADER_MEMBER: 'coordinator-2',
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
      RINGLEADER_NATS_URL: 'nats://127.0.0.1:4222,nats://127.0.0.1:4223',
      RINGLEADER_NATS_USER: 'gateway',
      RINGLEADER_NATS_PASSWORD_FILE: '/d/nats-passwords/gateway',
      RINGLEADER_MEMBER: 'gateway-2',
      RINGLEADER_HTTP_HOST: '127.0.0.1',
      RINGLEADER_HTTP_PORT: '8081',
    });
  });

  it('gives the word that founds a cluster to one that is new, and to no other', () => {
    const words = planServices({ ...wanted, layout: { ...wanted.layout, isFounded: true } }).map(
      ({ env }) => env['RINGLEADER_BOOTSTRAP'],
    );
    expect(words.filter((word) => word !== undefined)).toEqual([]);
  });
});
