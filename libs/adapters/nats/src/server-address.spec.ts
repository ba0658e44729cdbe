import { describe, expect, it } from '@jest/globals';
import { serverAddress } from './server-address.js';

describe('the address of a server', () => {
  it.each([
    ['nats://nats-1:4222', 'nats-1:4222'],
    ['tls://nats-1:6222', 'nats-1:6222'],
    ['nats-1:4222', 'nats-1:4222'],
    ['nats://nats-1', 'nats-1:4222'],
    ['tls://nats.example.com', 'nats.example.com:4222'],
    ['nats://127.0.0.1', '127.0.0.1:4222'],
    ['nats://[::1]', '[::1]:4222'],
    ['nats://[0:0::1]:5222', '[::1]:5222'],
    ['nats://NATS.Example.com:5222', 'nats.example.com:5222'],
    ['nats://nats-1:80', 'nats-1:80'],
    ['tls://nats-1:443', 'nats-1:443'],
  ])('of %s is %s', (url, address) => {
    expect(serverAddress(url)).toBe(address);
  });
});
