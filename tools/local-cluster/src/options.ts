import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { StartError } from './start-error.js';

export interface ClusterOptions {
  readonly shards: number;
  readonly gateways: number;
  readonly coordinators: number;
  /** Of the first gateway; the others take the ports after it. 0: free ones. */
  readonly port: number;
  /** Undefined: the default folder. */
  readonly data: string | undefined;
  readonly ephemeral: boolean;
  /** How long the cluster may take to become healthy. */
  readonly timeoutSeconds: number;
  /** A descriptor whose end of file means that the process which started this one is gone. */
  readonly lifelineFd: number | undefined;
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

function command(): Command {
  return new Command('npm start --')
    .description('Starts a whole Ringleader cluster on this machine, and stops it on Ctrl-C.')
    .addOption(
      new Option('--shards <n>', 'shards, each with a PostgreSQL of its own')
        .default(3)
        .argParser(integer(SHARDS_MIN, 64)),
    )
    .addOption(new Option('--gateways <n>', 'gateways').default(1).argParser(integer(1, 16)))
    .addOption(new Option('--coordinators <n>', 'coordinators: 3 or 5').default(3).argParser(oddCoordinators))
    .addOption(
      new Option('--port <n>', 'port of the first gateway, the others follow (0: any free one)')
        .default(8080)
        .argParser(integer(0, 65_535)),
    )
    .addOption(
      new Option('--data <folder>', 'where the data live (default: .ringleader)').conflicts('ephemeral'),
    )
    .addOption(new Option('--ephemeral', 'use a temporary folder and remove it at the end').default(false))
    .addOption(
      new Option('--timeout <seconds>', 'how long the cluster may take to become healthy')
        .default(90)
        .argParser(integer(1, 3600)),
    )
    .addOption(new Option('--lifeline-fd <n>').argParser(integer(3, 1024)).hideHelp())
    .allowExcessArguments(false)
    .showSuggestionAfterError(false)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
}

function oddCoordinators(text: string): number {
  if (text !== '3' && text !== '5') throw new InvalidArgumentError('It must be 3 or 5.');
  return Number(text);
}

export type ParsedArguments =
  { readonly kind: 'help' } | { readonly kind: 'start'; readonly options: ClusterOptions };

interface RawOptions extends Omit<ClusterOptions, 'timeoutSeconds' | 'data' | 'lifelineFd'> {
  readonly timeout: number;
  readonly data?: string;
  readonly lifelineFd?: number;
}

/** Reads the command line; help has been printed when it was asked for. */
export function parseArguments(args: readonly string[]): ParsedArguments {
  const program = command();
  try {
    program.parse([...args], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === 'commander.helpDisplayed') return { kind: 'help' };
    const sentence = error.message.replace(/^error: /, '').replace(/\.$/, '');
    throw new StartError(`${sentence}; see npm start -- --help.`, { cause: error });
  }
  const { shards, gateways, coordinators, port, ephemeral, timeout, data, lifelineFd } =
    program.opts<RawOptions>();
  if (port + gateways - 1 > 65_535) {
    throw new StartError(`There are no ${gateways} ports from ${port} on: choose a lower --port.`);
  }
  return {
    kind: 'start',
    options: { shards, gateways, coordinators, port, ephemeral, timeoutSeconds: timeout, data, lifelineFd },
  };
}
