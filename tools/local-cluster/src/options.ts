import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { START_OPTIONS, type StartOptionName } from '../start-options.mjs';
import { StartError } from './terminal.js';

export interface ClusterOptions {
  readonly shards: number;
  readonly gateways: number;
  readonly nats: number;
  readonly coordinators: number;
  /** Of the first gateway; the others take the ports after it. 0: free ones. */
  readonly port: number;
  /** Undefined: the default folder. */
  readonly data: string | undefined;
  readonly ephemeral: boolean;
  /** How long the cluster may take to become healthy. */
  readonly timeoutSeconds: number;
}

/** The replication factor: with fewer shards a partition could not have its replicas on distinct ones. */
const SHARDS_MIN = 3;

function integer(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
    }
    return value;
  };
}

/** A value that looks like an option is the next option, and the value was forgotten. */
function folder(text: string): string {
  if (text.startsWith('-')) throw new InvalidArgumentError('It must be a folder.');
  return text;
}

function option(name: StartOptionName): Option {
  const { flags, text, default: value } = START_OPTIONS[name];
  return value === undefined ? new Option(flags, text) : new Option(flags, text).default(value);
}

function command(): Command {
  return (
    new Command()
      .addOption(option('shards').argParser(integer(SHARDS_MIN, 64)))
      .addOption(option('gateways').argParser(integer(1, 16)))
      .addOption(option('coordinators').argParser(oneOf('3', '5')))
      .addOption(option('nats').argParser(oneOf('1', '3', '5')))
      .addOption(option('port').argParser(integer(0, 65_535)))
      .addOption(option('data').argParser(folder).conflicts('ephemeral'))
      .addOption(option('ephemeral').default(false))
      .addOption(option('timeout').argParser(integer(1, 3600)))
      // The bootstrap prints the help, before it installs and builds.
      .helpOption(false)
      .allowExcessArguments(false)
      .showSuggestionAfterError(false)
      .exitOverride()
      .configureOutput({ writeErr: () => undefined })
  );
}

/** Odd numbers: an even one survives the loss of no more members than the one below. */
function oneOf(...allowed: readonly string[]): (text: string) => number {
  return (text) => {
    if (allowed.includes(text)) return Number(text);
    throw new InvalidArgumentError(`It must be ${allowed.join(' or ')}.`);
  };
}

interface RawOptions extends Omit<ClusterOptions, 'timeoutSeconds' | 'data'> {
  readonly timeout: number;
  readonly data?: string;
}

export function parseArguments(args: readonly string[]): ClusterOptions {
  const program = command();
  try {
    program.parse([...args], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    const sentence = error.message.replace(/^error: /, '').replace(/\.$/, '');
    throw new StartError(`${sentence}; see npm start -- --help.`, { cause: error });
  }
  const { timeout, data, ...options } = program.opts<RawOptions>();
  const { port, gateways } = options;
  if (port + gateways - 1 > 65_535) {
    throw new StartError(`There are no ${gateways} ports from ${port} on: choose a lower --port.`);
  }
  return { ...options, timeoutSeconds: timeout, data };
}
