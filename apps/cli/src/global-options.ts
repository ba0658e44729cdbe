/** What every command understands, before or behind its name, and what it makes of that. */
import { readFileSync } from 'node:fs';
import { setDefaultCACertificates } from 'node:tls';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { CliFailure, EXIT, type Format } from './failure.js';
import { GatewayClient } from './gateway-client.js';

export interface GlobalFlags {
  readonly gateway: readonly string[];
  readonly format: Format;
  readonly timeout: number;
  readonly tokenFile?: string;
  readonly caFile?: string;
}

const DEFAULT_GATEWAY = 'http://127.0.0.1:8080';
const TIMEOUT_MS_MAX = 60_000;

export function integer(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
    }
    return value;
  };
}

export function gateways(text: string): string[] {
  return text.split(',').map((part) => {
    const url = part.trim();
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
      throw new InvalidArgumentError('It must be an http or https address, or several with commas between.');
    }
    const { username, password, search, hash } = new URL(url);
    if (`${username}${password}${search}${hash}` !== '') {
      throw new InvalidArgumentError('It must have no user, and end behind the host, port and path.');
    }
    return url.replace(/\/+$/, '');
  });
}

export function addGlobalOptions(program: Command): Command {
  return program
    .addOption(
      new Option('--gateway <url>', 'where a gateway answers; several with commas between')
        .env('RINGLEADER_GATEWAYS')
        .default([DEFAULT_GATEWAY], DEFAULT_GATEWAY)
        .argParser(gateways),
    )
    .addOption(
      new Option('--token-file <file>', 'a file with the token that is sent with every request').env(
        'RINGLEADER_TOKEN_FILE',
      ),
    )
    .addOption(
      new Option(
        '--ca-file <file>',
        'certificates of whom to trust, instead of those that the system trusts',
      ).env('RINGLEADER_CA_FILE'),
    )
    .addOption(
      new Option('-o, --format <format>', 'of what is printed').choices(['text', 'json']).default('text'),
    )
    .addOption(
      new Option('--timeout <ms>', 'the deadline of one request')
        .default(5_000)
        .argParser(integer(1, TIMEOUT_MS_MAX)),
    );
}

export function clientOf(flags: GlobalFlags, signal = stopSignal()): GatewayClient {
  if (flags.caFile !== undefined) trust(flags.caFile);
  const token = flags.tokenFile === undefined ? undefined : tokenIn(flags.tokenFile);
  return new GatewayClient({ gateways: flags.gateway, timeoutMs: flags.timeout, signal, token });
}

/** What an Authorization header can carry (RFC 6750, 2.1). */
const TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;

/** Never on a command line, where all users of a machine could read it. */
function tokenIn(file: string): string {
  const exitCode = EXIT.usage;
  try {
    const token = readFileSync(file, 'utf8').trim();
    if (TOKEN.test(token)) return token;
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new CliFailure(`The token in ${file} cannot be read: ${reason}.`, { cause, exitCode });
  }
  throw new CliFailure(`${file} holds no token: it must have one line, without spaces.`, { exitCode });
}

/** The process has no other connections that are encrypted. */
function trust(file: string): void {
  try {
    setDefaultCACertificates([readFileSync(file, 'utf8')]);
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new CliFailure(`${file} holds no certificates to trust: ${reason}.`, {
      cause,
      exitCode: EXIT.usage,
    });
  }
}

/** npm and a terminal both pass Ctrl-C on: within this time the second one is the echo of the first. */
const ECHO_MS = 1_000;

/** Aborted at Ctrl-C; a second one ends the process. */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  let firstAt: number | undefined;
  const request = (): void => {
    firstAt ??= performance.now();
    if (performance.now() - firstAt > ECHO_MS) process.exit(EXIT.stopped);
    controller.abort();
  };
  process.on('SIGINT', request).on('SIGTERM', request);
  return controller.signal;
}
