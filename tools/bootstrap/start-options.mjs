import { resolve } from 'node:path';
import { asksForHelp, helpOf, refuse as refuseOption, valuesOf } from './options.mjs';

const from = (min, max) => ({
  allowed: `a whole number from ${min} to ${max}`,
  takes: (given) => given >= min && given <= max,
});
/** Odd numbers: an even one survives the loss of no more members than the one below. */
const oneOf = (...numbers) => ({
  allowed: numbers.join(' or '),
  takes: (given) => numbers.includes(given),
});

const number = (usual, range, text) => ({ value: 'n', default: usual, ...range, text });

/** The replication factor: with fewer shards a partition could not have its replicas on distinct ones. */
const SHARDS_MIN = 3;

/** The options of `npm start`. */
export const START_OPTIONS = {
  shards: number(3, from(SHARDS_MIN, 64), 'shards, each with a PostgreSQL of its own'),
  gateways: number(1, from(1, 16), 'gateways'),
  coordinators: number(3, oneOf(3, 5), 'coordinators: 3 or 5'),
  nats: number(1, oneOf(1, 3, 5), 'nats-servers: 1, or a cluster of 3 or 5'),
  port: number(8080, from(0, 65_535), 'port of the first gateway, the others follow (0: any free one)'),
  data: { value: 'folder', text: 'where the data live (default: .ringleader)' },
  postgres: {
    value: 'folder',
    text: 'where initdb and postgres are, 15 or newer, for this start only (default: those that npm brings)',
  },
  ephemeral: { text: 'use a temporary folder and remove it at the end' },
  secure: { text: 'TLS and keys between services, HTTPS and tokens at the gateways' },
  timeout: {
    ...number(90, from(1, 3600), 'how long the cluster may take to become healthy'),
    value: 'seconds',
  },
};

const COMMAND = 'npm start';
const refuse = (sentence) => refuseOption(COMMAND, sentence);

export const startHelp = () =>
  helpOf(
    COMMAND,
    'Starts a whole Ringleader cluster on this machine, and stops it on Ctrl-C.',
    START_OPTIONS,
  );

function numbersIn(given) {
  const numbers = {};
  for (const [name, { takes, allowed, default: usual }] of Object.entries(START_OPTIONS)) {
    if (takes === undefined) continue;
    const text = given[name] ?? String(usual);
    if (!/^\d+$/.test(text) || !takes(Number(text)))
      refuse(`Option '--${name}' must be ${allowed}, not '${text}'`);
    numbers[name] = Number(text);
  }
  return numbers;
}

/** Whole paths: what runs with them is somewhere else than who typed them. */
function foldersIn(given, from) {
  const named = Object.entries(START_OPTIONS).filter(
    ([name, { value }]) => value === 'folder' && name in given,
  );
  for (const [name] of named) if (given[name] === '') refuse(`Option '--${name}' must be a folder`);
  return Object.fromEntries(named.map(([name]) => [name, resolve(from, given[name])]));
}

/** Undefined when the command line asks for help, whatever else stands on it; names of folders are meant `from` there. */
export function parseStart(args, from) {
  if (asksForHelp(args)) return undefined;
  const given = valuesOf(COMMAND, args, START_OPTIONS);
  const options = {
    ephemeral: false,
    secure: false,
    ...given,
    ...numbersIn(given),
    ...foldersIn(given, from),
  };
  const { port, gateways, data, ephemeral } = options;
  if (data !== undefined && ephemeral) refuse("Option '--data' cannot be used with '--ephemeral'");
  if (port + gateways - 1 > 65_535)
    refuse(`There are no ${gateways} ports from ${port} on: choose a lower --port`);
  return options;
}
