import { isIP } from 'node:net';
import { BALANCER_STRATEGIES } from '@ringleader/balancer';
import { budgeted, commonConfig, host, integer, isHost, port } from '@ringleader/config';
import { OperationalError } from '@ringleader/contracts';
import { injectable } from '@ringleader/service-host';
import { z } from 'zod';

/** Separated by commas. */
function listOf(item: z.ZodString) {
  return z
    .string()
    .default('')
    .transform((text) => text.split(',').map((part) => part.trim()))
    .transform((parts) => parts.filter((part) => part !== ''))
    .pipe(z.array(item));
}

/** A host, every host below a name, or any. */
function isHosts(text: string): boolean {
  if (text === '*') return true;
  return text.startsWith('*.') ? isHost(text.slice(2)) && isIP(text.slice(2)) === 0 : isHost(text);
}

/** An address, or a network as in 10.0.0.0/8. */
function isNetwork(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/');
  const family = isIP(address);
  if (family === 0 || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

const BODIES = { share: 1 / 4, minMib: 16, maxMib: 1_024, elseMib: 256 };

export const gatewayConfigSchema = z.object({
  ...commonConfig,
  RINGLEADER_HTTP_HOST: host().default('127.0.0.1'),
  RINGLEADER_HTTP_PORT: port().default(8_080),
  /** PEM files: HTTPS instead of HTTP. Both or neither; they are read again when they are replaced. */
  RINGLEADER_HTTP_TLS_CERT_FILE: z.string().min(1).optional(),
  RINGLEADER_HTTP_TLS_KEY_FILE: z.string().min(1).optional(),
  /** Host names that clients call this gateway by, comma-separated, besides loopback and its address; `*` is any. */
  RINGLEADER_HTTP_HOSTS: listOf(
    z.string().refine(isHosts, 'host names or addresses without a port, *.example.com, or *'),
  ),
  /** Proxies whose X-Forwarded-For names the client: addresses and networks (10.0.0.0/8), comma-separated. */
  RINGLEADER_TRUSTED_PROXIES: listOf(z.string().refine(isNetwork, 'addresses or networks, as in 10.0.0.0/8')),
  /** none: whoever reaches this gateway may do everything. tokens: what the bearer token of a request is granted. */
  RINGLEADER_AUTHENTICATION: z.enum(['none', 'tokens']).default('none'),
  /** yes: without authentication it may listen on other addresses than loopback, too. */
  RINGLEADER_INSECURE: z.enum(['yes', 'no']).default('no'),
  /** A file with the token of the administrator, which may do everything; read again when it is replaced. */
  RINGLEADER_ROOT_TOKEN_FILE: z.string().optional(),
  /** Files, comma-separated, with tokens that are taken as that one is; those that are missing are not. */
  RINGLEADER_ROOT_TOKEN_ALSO_FILES: listOf(z.string()),
  /** Tokens that there may be under one who administers some prefixes only, by whomever of them they were made. */
  RINGLEADER_DELEGATED_TOKENS_MAX: integer(1, 1_000_000).default(1_000),
  /** yes: tokens of Kubernetes' ServiceAccounts are taken too, as the API server judges them. */
  RINGLEADER_TOKEN_REVIEW: z.enum(['yes', 'no']).default('no'),
  /** Where the API server is: Kubernetes sets both in every pod. */
  KUBERNETES_SERVICE_HOST: z.string().optional(),
  KUBERNETES_SERVICE_PORT: port().optional(),
  /** How a replica is picked for what any replica may serve, unless the cluster's settings say otherwise. */
  RINGLEADER_BALANCER: z.enum(BALANCER_STRATEGIES).default('power-of-two-choices'),
  /** Until a shard that is new, or was suspected, has its full share of that again; 0: at once. */
  RINGLEADER_SLOW_START_MS: integer(0, 600_000).default(10_000),
  /** Requests below /v1 under way at once: more are refused with OVERLOADED. */
  RINGLEADER_REQUESTS_MAX: integer(1, 1_000_000).default(10_000),
  /** Bytes of their bodies. Absent: a share of the container's memory. */
  RINGLEADER_REQUEST_BYTES_MAX: budgeted(8_388_608, 8_589_934_592, BODIES),
  /** Bytes of large bodies (64 KiB and more) that are read and passed on at once: the others wait unread, in their order. */
  RINGLEADER_LARGE_BODIES_BYTES_MAX: integer(1_048_576, 1_073_741_824).default(6_291_456),
  /** Of one client address: more are refused with RATE_LIMITED. */
  RINGLEADER_CLIENT_REQUESTS_MAX: integer(1, 1_000_000).default(5_000),
  /** Operations of all requests under way at once: a batch has many. */
  RINGLEADER_OPERATIONS_MAX: integer(1, 10_000_000).default(100_000),
  /** Requests with an Idempotency-Key whose first answer is remembered: so many at most, and half of that at least. */
  RINGLEADER_REPEATS_REMEMBERED: integer(0, 10_000_000).default(50_000),
});

const LOOPBACK = /^(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[?::1\]?)$/;

/** Nobody opens a cluster to a network by leaving something out: throws CONFIG_INVALID. */
export function refuseOpenNetwork(config: GatewayConfig): void {
  const {
    RINGLEADER_HTTP_HOST: address,
    RINGLEADER_AUTHENTICATION: mode,
    RINGLEADER_INSECURE: insecure,
  } = config;
  if (mode === 'tokens' || insecure === 'yes' || LOOPBACK.test(address)) return;
  throw new OperationalError(
    'CONFIG_INVALID',
    `RINGLEADER_AUTHENTICATION: is none, and ${address} is not loopback: set it to tokens, or RINGLEADER_INSECURE to yes`,
    { host: address },
  );
}

/** Whether clients send tokens over a network as they are, unless something before this gateway does it otherwise. */
export function tellsTokens(config: GatewayConfig): boolean {
  const { RINGLEADER_HTTP_HOST: address, RINGLEADER_AUTHENTICATION: mode } = config;
  return mode === 'tokens' && config.RINGLEADER_HTTP_TLS_CERT_FILE === undefined && !LOOPBACK.test(address);
}

export abstract class GatewayConfig extends injectable<Readonly<z.infer<typeof gatewayConfigSchema>>>() {}
