import { expect, it } from '@jest/globals';
import { gatewayConfigSchema } from './gateway.config.js';

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
