import { describe, expect, it } from '@jest/globals';
import { parseArguments } from './options.js';
import { StartError } from './terminal.js';

const start = (...args: string[]) => parseArguments(args);

describe('parseArguments', () => {
  it('has a default for everything', () => {
    expect(start()).toEqual({
      shards: 3,
      gateways: 1,
      coordinators: 3,
      nats: 1,
      port: 8080,
      data: undefined,
      ephemeral: false,
      timeoutSeconds: 90,
    });
  });

  it('reads what is given', () => {
    const options = start(
      '--shards',
      '5',
      '--gateways',
      '2',
      '--port',
      '9000',
      '--coordinators',
      '5',
      '--data',
      '/x',
    );
    expect(options).toMatchObject({ shards: 5, gateways: 2, port: 9000, coordinators: 5, data: '/x' });
  });

  it.each([
    [['--shards', '2'], /--shards.*from 3 to 64/],
    [['--shards', 'many'], /--shards.*whole number/],
    [['--shards', '3.5'], /--shards.*whole number/],
    [['--coordinators', '4'], /--coordinators.*3 or 5/],
    [['--nats', '2'], /--nats.*1 or 3 or 5/],
    [['--port', '70000'], /--port.*65535/],
    [['--port'], /--port.*argument missing/],
    [['--shards'], /^[^']*'--shards <n>' argument missing/],
    [['--shards', '--gateways', '2'], /--shards.*whole number/],
    [['--data', '--port', '0'], /--data.*must be a folder/],
    [['--gateways', '2', '--port', '65535'], /no 2 ports from 65535/],
    [['--ephemeral', '--data', '/x'], /--data.*cannot be used with.*--ephemeral/],
    [['--sharks', '3'], /unknown option '--sharks'/],
    [['more'], /too many arguments/],
  ])('refuses %j in one sentence', (args, expected) => {
    expect(() => start(...args)).toThrow(StartError);
    expect(() => start(...args)).toThrow(expected);
    expect(() => start(...args)).toThrow(/^[^\n]*$/);
  });
});
