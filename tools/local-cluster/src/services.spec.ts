import { describe, expect, it } from '@jest/globals';
import { shardsOf, withShard, withoutShard } from './layout.js';
import { securityIn } from './security.js';
import { type ClusterPlan, planServices } from './services.js';

describe('planServices', () => {
  const wanted: ClusterPlan = {
    folder: { path: '/d', logs: '/d/logs' },
    layout: { formatVersion: 1, coordinators: 3, shards: 3, initialShards: 3 },
    natsUrl: 'nats://127.0.0.1:4222,nats://127.0.0.1:4223',
    security: null,
    gatewayPorts: [8080, 8081],
    postgresUrls: new Map(['postgres://a', 'postgres://b', 'postgres://c'].map((url, i) => [i + 1, url])),
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

  it('gives each service of a secure cluster a key of its own, and gateways a certificate and tokens', () => {
    const services = planServices({ ...wanted, security: securityIn('/d') });
    for (const { service, env } of services) {
      expect(env).toMatchObject({
        RINGLEADER_NATS_NKEY_FILE: `/d/secure/nats-keys/${service}.seed`,
        RINGLEADER_NATS_CA_FILE: '/d/secure/ca.crt',
      });
      expect(Object.keys(env).join()).not.toMatch(/PASSWORD|USER/);
      const isGateway = service === 'gateway';
      expect(env['RINGLEADER_AUTHENTICATION']).toBe(isGateway ? 'tokens' : undefined);
      expect(env['RINGLEADER_HTTP_TLS_KEY_FILE']).toBe(isGateway ? '/d/secure/gateway.key' : undefined);
    }
  });

  it('runs the shards that were added, as they were, and not those that were removed', () => {
    const postgresUrls = new Map([...wanted.postgresUrls, [4, 'postgres://d']]);
    const layout = withoutShard(withShard(wanted.layout, { index: 4, zone: 'b', weight: 2 }), 2);
    const shards = planServices({ ...wanted, layout, postgresUrls }).filter(
      ({ service }) => service === 'shard',
    );
    expect(shards.map(({ member }) => member)).toEqual(['shard-1', 'shard-3', 'shard-4']);
    expect(shards[2]?.env).toMatchObject({
      ...{ RINGLEADER_POSTGRES_URL: 'postgres://d', RINGLEADER_ZONE: 'b', RINGLEADER_WEIGHT: '2' },
    });
    expect(shards[1]?.env).not.toHaveProperty('RINGLEADER_WEIGHT');
    expect(shardsOf(withShard(layout, { index: 2 })).map(({ index }) => index)).toEqual([1, 2, 3, 4]);
    // More are wanted at a later start: one that was added has its number already.
    expect(shardsOf({ ...layout, shards: 5 }).map(({ index }) => index)).toEqual([1, 3, 4, 5]);
  });

  it('gives the word that founds a cluster to one that is new, and to no other', () => {
    const words = planServices({ ...wanted, layout: { ...wanted.layout, isFounded: true } }).map(
      ({ env }) => env['RINGLEADER_BOOTSTRAP'],
    );
    expect(words.filter((word) => word !== undefined)).toEqual([]);
  });
});
