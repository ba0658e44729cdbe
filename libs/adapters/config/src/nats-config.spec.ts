import { describe, expect, it } from '@jest/globals';
import { OperationalError } from '@ringleader/contracts';
import { z } from 'zod';
import { loadConfig } from './load-config.js';
import { natsConfig, natsSettings } from './nats-config.js';
import type { NatsSettings } from './nats-config.js';

function settingsOf(variables: Readonly<Record<string, string>>): NatsSettings {
  const environment = Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [`RINGLEADER_NATS_${name}`, value]),
  );
  return natsSettings(loadConfig(z.object(natsConfig), environment));
}

describe('the variables of NATS', () => {
  it('take one server on this machine, without credentials, for granted', () => {
    expect(settingsOf({})).toEqual({
      servers: ['nats://127.0.0.1:4222'],
      identity: { kind: 'anonymous' },
      tls: null,
      discovery: true,
      onRefusal: 'end',
    });
  });

  it('take a list of servers', () => {
    const { servers } = settingsOf({ URL: 'nats://a:4222, nats://b:4223,nats://[::1]:4224' });
    expect(servers).toEqual(['nats://a:4222', 'nats://b:4223', 'nats://[::1]:4224']);
  });

  it('use the user information of a URL, unescaped, and take it out', () => {
    expect(
      settingsOf({ URL: 'nats://me:p%40ss%3Aword@a:4222,nats://me:p%40ss%3Aword@b:4222' }),
    ).toMatchObject({
      servers: ['nats://a:4222', 'nats://b:4222'],
      identity: { kind: 'password', user: 'me', password: 'p@ss:word' },
    });
  });

  const identities: [string, Record<string, string>, NatsSettings['identity']][] = [
    ['a password', { USER: 'u', PASSWORD: 'p' }, { kind: 'password', user: 'u', password: 'p' }],
    ['a file', { USER: 'u', PASSWORD_FILE: '/f' }, { kind: 'passwordFile', user: 'u', file: '/f' }],
    ['an nkey', { NKEY_FILE: '/n' }, { kind: 'nkey', file: '/n' }],
    ['credentials', { CREDENTIALS_FILE: '/c' }, { kind: 'credentials', file: '/c' }],
  ];
  it.each(identities)('identify by %s', (_, variables, identity) => {
    expect(settingsOf(variables).identity).toEqual(identity);
  });

  it('ask for encryption by the scheme or by a file', () => {
    expect(settingsOf({ URL: 'tls://a:4222' }).tls).toEqual({});
    expect(settingsOf({ CA_FILE: '/ca' }).tls).toEqual({ caFile: '/ca' });
    const pair = { CERT_FILE: '/cert', KEY_FILE: '/key' };
    expect(settingsOf(pair).tls).toEqual({ certFile: '/cert', keyFile: '/key' });
  });

  const refused: [string, Record<string, string>, RegExp][] = [
    ['no URL', { URL: 'nonsense' }, /NATS_URL: must be a URL/],
    ['another scheme', { URL: 'http://a:4222' }, /must begin with nats/],
    ['an empty part', { URL: 'nats://a:4222,' }, /server 2 must be a URL/],
    ['a path', { URL: 'nats://a:4222/x' }, /must end behind the port/],
    ['a user without a password', { URL: 'nats://token@a:4222' }, /both user and password/],
    ['bad escapes', { URL: 'nats://a%ff:b@a:4222' }, /%-escapes/],
    ['mixed encryption', { URL: 'nats://a:4222,tls://b:4222' }, /all tls/],
    ['two users', { URL: 'nats://a:b@a:4222,nats://c:d@b:4222' }, /more than once/],
    ['two ways', { USER: 'u', PASSWORD: 'p', NKEY_FILE: '/n' }, /more than once/],
    ['two passwords', { USER: 'u', PASSWORD: 'p', PASSWORD_FILE: '/f' }, /not both/],
    ['no password', { USER: 'u' }, /must be given with/],
    ['no user', { PASSWORD: 'p' }, /NATS_USER is missing/],
    ['half a certificate', { CERT_FILE: '/c' }, /together/],
  ];
  it.each(refused)('refuse %s', (_, variables, message) => {
    expect(() => settingsOf(variables)).toThrow(OperationalError);
    expect(() => settingsOf(variables)).toThrow(message);
  });

  it('name no secret in a refusal', () => {
    const refuse = (): unknown => settingsOf({ URL: 'nats://me:sesame@a:4222/x' });
    expect(refuse).toThrow(/must end behind the port/);
    expect(refuse).not.toThrow(/sesame/);
  });
});
