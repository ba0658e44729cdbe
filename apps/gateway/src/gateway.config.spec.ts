import { expect, it } from '@jest/globals';
import { loadConfig } from '@ringleader/config';
import { gatewayConfigSchema, refuseOpenNetwork } from './gateway.config.js';

const { RINGLEADER_HTTP_HOSTS: hosts } = gatewayConfigSchema.shape;

it.each([
  'kv.example.com',
  'ringleader_gateway',
  '10.0.0.1',
  '::1',
  '[::1]',
  '*',
  '*.example.com',
  'a, b ,*.c',
  '',
])('answers for %p', (text) => {
  expect(hosts.safeParse(text).success).toBe(true);
});

it.each([
  '999.1.1.1',
  '1.2.3',
  '0x7f.1',
  '::::',
  'a:80',
  '*.10.0.0.1',
  '*.',
  '**',
  'a..b',
  '-a',
  'kv.example.com,999.1.1.1',
])('refuses %p, and says what it should be', (text) => {
  const { error } = hosts.safeParse(text);
  expect(error?.issues[0]?.message).toMatch(/host names or addresses without a port/);
});

it.each([
  [{}, true],
  [{ RINGLEADER_HTTP_HOST: 'localhost' }, true],
  [{ RINGLEADER_HTTP_HOST: '::1' }, true],
  [{ RINGLEADER_HTTP_HOST: '127.0.0.2' }, true],
  [{ RINGLEADER_HTTP_HOST: '0.0.0.0' }, false],
  [{ RINGLEADER_HTTP_HOST: '10.0.0.1' }, false],
  [{ RINGLEADER_HTTP_HOST: 'localhost.example.com' }, false],
  [{ RINGLEADER_HTTP_HOST: '::', RINGLEADER_INSECURE: 'yes' }, true],
  [{ RINGLEADER_HTTP_HOST: '::', RINGLEADER_AUTHENTICATION: 'tokens' }, true],
])('opens what %j says to a network: %s', (environment, isAllowed) => {
  const check = (): void =>
    refuseOpenNetwork(loadConfig(gatewayConfigSchema, { RINGLEADER_MEMBER: 'gateway-1', ...environment }));
  if (isAllowed) expect(check).not.toThrow();
  else expect(check).toThrow(/RINGLEADER_AUTHENTICATION: is none, and .* is not loopback/);
});
