import { describe, expect, it } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';
import { SERVICES } from '../metadata/cluster-metadata.js';
import type { Service } from '../metadata/cluster-metadata.js';
import { natsServerConfig } from './nats-server-config.js';
import type { NatsCredential } from './nats-server-config.js';

const SNAPSHOT = new URL('nats-server.snapshot.conf', import.meta.url);
const users = Object.fromEntries(
  SERVICES.map((service) => [service, { kind: 'password', password: `password-of-${service}` }]),
) as Record<Service, NatsCredential>;
const server = { serverName: 'nats-1', host: '127.0.0.1', port: 4222 };
const routes = {
  name: 'local',
  host: '127.0.0.1',
  port: 6222,
  servers: ['127.0.0.1:6222', '127.0.0.1:6223', '127.0.0.1:6224'],
  user: 'route',
  password: 'password-of-routes',
  advertise: true,
};

describe('the configuration of a nats-server', () => {
  it('is what was reviewed (UPDATE_SNAPSHOTS=1 writes it anew)', () => {
    const text = natsServerConfig({ ...server, access: { cluster: 'local', users }, routes });
    if (process.env['UPDATE_SNAPSHOTS'] === '1') writeFileSync(SNAPSHOT, text);
    expect(text).toBe(readFileSync(SNAPSHOT, 'utf8'));
  });

  it('holds no secret of a user who has a key', () => {
    const keyed = Object.fromEntries(
      SERVICES.map((service) => [service, { kind: 'nkey', publicKey: `U${service}` }]),
    ) as Record<Service, NatsCredential>;
    const text = natsServerConfig({ ...server, access: { cluster: 'local', users: keyed } });
    expect(text).not.toMatch(/password/);
    for (const service of SERVICES) expect(text).toContain(`nkey: "U${service}"`);
  });

  it('asks for certificates where an authority is named', () => {
    const tls = { certFile: '/c', keyFile: '/k', caFile: '/a' };
    expect(natsServerConfig({ ...server, access: null, tls })).toMatch(/ca_file: "\/a"\n {2}verify: true/);
  });

  it('lets several servers share one file, and tells them how to leave', () => {
    const text = natsServerConfig({
      ...server,
      serverName: { variable: 'POD_NAME' },
      access: null,
      lameDuck: true,
    });
    expect(text).toMatch(/^server_name: \$POD_NAME$/m);
    expect(text).toMatch(/^lame_duck_duration: "30s"$/m);
    const bad = { ...server, serverName: { variable: 'x; port: 1' }, access: null };
    expect(() => natsServerConfig(bad)).toThrow(/no name of an environment variable/);
  });

  it('has servers show each other certificates, besides their password', () => {
    const tls = { certFile: '/c', keyFile: '/k', caFile: '/a' };
    const text = natsServerConfig({ ...server, access: null, routes: { ...routes, tls } });
    const [, cluster = ''] = text.split('cluster {');
    expect(cluster).toMatch(
      / {2}tls \{\n {4}cert_file: "\/c"\n {4}key_file: "\/k"\n {4}ca_file: "\/a"\n {4}verify: true/,
    );
    expect(cluster).toContain('password: "password-of-routes"');
    expect(text.split('cluster {')[0]).not.toContain('tls');
  });

  it.each(['"', '\\', '$X', 'a\nb'])('refuses a value with %j in it', (serverName) => {
    expect(() => natsServerConfig({ ...server, serverName, access: null })).toThrow(/escapes/);
  });
});
