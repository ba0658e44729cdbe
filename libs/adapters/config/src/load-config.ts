/**
 * Configuration: one schema per app, parsed once at the start, frozen, injected. Nobody else reads the environment.
 */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { NAME_PATTERN, OperationalError } from '@ringleader/contracts';
import { z } from 'zod';
import {
  MEMORY_MIB_MAX,
  MEMORY_MIB_MIN,
  MEMORY_VARIABLE,
  budgetBytes,
  memoryBytes,
  memoryLimitBytes,
} from './memory.js';
import type { Budget } from './memory.js';
import { natsConfig } from './nats-config.js';
import { unknownVariables } from './unknown-variables.js';

const UNKNOWN_VARIABLES = 'RINGLEADER_UNKNOWN_VARIABLES';
const WILDCARDS: ReadonlySet<string> = new Set(['0.0.0.0', '::', '[::]']);

const name = z.string().regex(NAME_PATTERN, 'lower-case letters, digits and hyphens');

/** What every process has. Merge it into an app's schema: `z.object({ ...commonConfig, ... })`. */
export const commonConfig = {
  RINGLEADER_CLUSTER: name.default('local'),
  ...natsConfig,
  /** Absent: the pod's name (POD_NAME, or HOSTNAME, which Kubernetes sets to it). */
  RINGLEADER_MEMBER: name,
  /** HTTP for /livez, /startupz, /readyz and /metrics; absent: none. */
  RINGLEADER_PROBE_PORT: port().optional(),
  /** Where probes listen: 0.0.0.0 and :: are every address of the machine. */
  RINGLEADER_PROBE_HOST: host().default('127.0.0.1'),
  /** What others are told to reach this process by. Absent: see `advertisedHost`. */
  RINGLEADER_ADVERTISED_HOST: host()
    .refine((text) => !WILDCARDS.has(text), 'must be a host that others can reach, not every address')
    .optional(),
  /** Of a pod, by Kubernetes' downward API. */
  POD_IP: z
    .string()
    .refine((text) => isIP(text) !== 0, 'must be an IP address')
    .optional(),
  RINGLEADER_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']).default('info'),
  /** Refused, a slip is noticed. Who describes processes of several versions has them warn: an older one does not know all. */
  [UNKNOWN_VARIABLES]: z.enum(['refuse', 'warn']).default('refuse'),
  /** So long a process that was told to stop goes on as before, not ready, until all have heard that it is not. */
  RINGLEADER_DRAIN_PAUSE_MS: integer(0, 60_000).default(0),
  /** Stopping, the pause included, is cut off after this. Absent: what the service needs at most. */
  RINGLEADER_STOP_WITHIN_MS: integer(100, 600_000).optional(),
  /** Of the whole process. Absent: the limit of its container. */
  RINGLEADER_MEMORY_MIB: integer(MEMORY_MIB_MIN, MEMORY_MIB_MAX).optional(),
  /** A descriptor that ends with the supervisor, for the process to end too; absent: none. Supervisors set it. */
  RINGLEADER_LIFELINE_FD: integer(3, 1_024).optional(),
};

export type CommonConfig = Readonly<z.infer<z.ZodObject<typeof commonConfig>>>;

type Environment = Readonly<Record<string, string | undefined>>;

/** A TCP port; 0 lets the system choose. */
export function port() {
  return integer(0, 65_535);
}

const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i;
const HOST_LENGTH_MAX = 253;

/** A host name, or an address, of IPv6 with or without brackets; no port. */
export function host() {
  return z.string().refine(isHost, 'must be a host name or an IP address, without a port');
}

/** A name or an address, without a port. */
export function isHost(text: string): boolean {
  if (isIP(text) !== 0) return true;
  if (text.startsWith('[') && text.endsWith(']')) return isIP(text.slice(1, -1)) === 6;
  const labels = text.replace(/\.$/, '').split('.');
  // What ends with a number is an address, as resolvers and URLs read it; and this is none.
  const isNumeric = /^(?:\d+|0x[\da-f]*)$/i.test(labels.at(-1) ?? '');
  return !isNumeric && text.length <= HOST_LENGTH_MAX && labels.every((label) => LABEL.test(label));
}

/** An integer from an environment variable, in decimal digits: what else JavaScript takes for a number is a slip. */
export function integer(min: number, max: number) {
  return z
    .string()
    .regex(/^-?\d+$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(min).max(max));
}

/** A number with or without a fraction. */
export function decimal(min: number, max: number) {
  return z
    .string()
    .regex(/^\d+(\.\d+)?$/, 'must be a decimal number')
    .transform(Number)
    .pipe(z.number().min(min).max(max));
}

const budgets = new WeakMap<z.ZodType, Budget>();

/** A setting in bytes that is a share of the process's memory where nothing else is set. */
export function budgeted(min: number, max: number, budget: Budget) {
  const schema = integer(min, max).default(() => budgetBytes(budget, null));
  budgets.set(schema, budget);
  return schema;
}

/** The name of this process as far as it is known before the configuration was read: for the log of its failure. */
export function memberOf(environment: Environment): string {
  const names = [environment['RINGLEADER_MEMBER'], environment['POD_NAME'], environment['HOSTNAME']];
  return names.find((candidate) => candidate !== undefined && candidate !== '') ?? 'unnamed';
}

const FILE_SUFFIX = '_FILE';
const MIB = 1024 * 1024;
/** The rest is code, libraries, and what cannot be known beforehand. */
const BUDGETS_SHARE_MAX = 1 / 2;

interface ConfigIssue {
  readonly variable: string;
  readonly message: string;
}

/**
 * Throws CONFIG_INVALID which names every variable that is wrong, and what is allowed. An empty variable counts as
 * absent, as Kubernetes manifests often leave them. Unknown ones of this project's are wrong unless they are tolerated. Any variable X may stand in a file instead, which X_FILE names: a
 * secret belongs there, where no `ps` and no crash report shows it.
 */
export function loadConfig<Schema extends z.ZodObject>(
  schema: Schema,
  environment: Environment,
  containerLimit: number | null = memoryLimitBytes(),
): Readonly<z.infer<Schema>> {
  const present = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const { shape } = schema;
  const areTolerated = present[UNKNOWN_VARIABLES] === 'warn';
  const issues: ConfigIssue[] = areTolerated ? [] : unknownVariables(present, Object.keys(shape));
  const values: Record<string, string | undefined> = { ...present };
  for (const variable of Object.keys(shape)) {
    // Some are read again and again, so they are the names of files for the app, too.
    if (!(`${variable}${FILE_SUFFIX}` in shape)) readFromFile(variable, values, issues);
  }
  values['RINGLEADER_MEMBER'] ??= present['POD_NAME'] ?? present['HOSTNAME'];
  issues.push(...shareMemory(shape, values, memoryBytes(values, containerLimit)));
  const parsed = schema.safeParse(values);
  if (parsed.success && issues.length === 0) return Object.freeze(parsed.data);
  issues.push(...issuesOf(parsed.error, (variable) => variable in shape && values[variable] === undefined));
  const list = issues.map(({ variable, message }) => `${variable}: ${message}`).join('; ');
  throw new OperationalError('CONFIG_INVALID', `The configuration is not valid: ${list}`, { issues });
}

/** Fills in what is a share of the process's memory, and says where the memory cannot do. */
function shareMemory(
  shape: z.core.$ZodLooseShape,
  values: Record<string, string | undefined>,
  memory: number | null,
): readonly ConfigIssue[] {
  if (memory === null || !(MEMORY_VARIABLE in shape)) return [];
  let together = 0;
  for (const [variable, schema] of Object.entries(shape)) {
    const budget = budgets.get(schema as z.ZodType);
    if (budget === undefined) continue;
    values[variable] ??= String(budgetBytes(budget, memory));
    together += Number(values[variable]) || 0;
  }
  const mib = (bytes: number): number => Math.ceil(bytes / MIB);
  if (values[MEMORY_VARIABLE] === undefined && memory < MEMORY_MIB_MIN * MIB) {
    const message = `the container's limit is ${mib(memory)} MiB, and a process needs ${MEMORY_MIB_MIN} at least`;
    return [{ variable: MEMORY_VARIABLE, message }];
  }
  if (together <= memory * BUDGETS_SHARE_MAX) return [];
  const names = Object.keys(shape).filter((name) => budgets.has(shape[name] as z.ZodType));
  const message =
    `${names.join(', ')} are ${mib(together)} MiB together, and may be half of the process's ` +
    `${mib(memory)} MiB`;
  return [{ variable: MEMORY_VARIABLE, message }];
}

function issuesOf(
  error: z.ZodError | undefined,
  isMissing: (variable: string) => boolean,
): readonly ConfigIssue[] {
  return (error?.issues ?? []).map(({ path, message }) => {
    const variable = path.join('.');
    return { variable, message: isMissing(variable) ? 'is missing' : message };
  });
}

function readFromFile(
  variable: string,
  values: Record<string, string | undefined>,
  issues: ConfigIssue[],
): void {
  const fileVariable = `${variable}${FILE_SUFFIX}`;
  const file = values[fileVariable];
  if (file === undefined) return;
  if (values[variable] !== undefined) {
    issues.push({ variable: fileVariable, message: `either this or ${variable}, not both` });
    return;
  }
  try {
    // Editors and `kubectl create secret --from-file` leave a newline at the end, which is never meant.
    const text = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
    values[variable] = text === '' ? undefined : text;
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    issues.push({ variable: fileVariable, message: `${file} cannot be read: ${reason}` });
  }
}

/** The host by which others reach what listens on `boundHost`: every address is none that one can be told. */
export function advertisedHost(config: CommonConfig, boundHost: string): string {
  if (config.RINGLEADER_ADVERTISED_HOST !== undefined) return config.RINGLEADER_ADVERTISED_HOST;
  if (!WILDCARDS.has(boundHost)) return boundHost;
  return config.POD_IP ?? config.RINGLEADER_MEMBER;
}

/** What to listen on: every address is that of IPv4 where the machine has no other. */
export function listenedHost(host: string): string {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  if (bare !== '::') return bare;
  const hasIpv6 = Object.values(networkInterfaces())
    .flat()
    .some((one) => one?.family === 'IPv6');
  return hasIpv6 ? '::' : '0.0.0.0';
}

/** host:port, with the brackets that an IPv6 address needs. */
export function hostAndPort(host: string, portNumber: number): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]:${portNumber}` : `${host}:${portNumber}`;
}
