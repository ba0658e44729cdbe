import { commonConfig, integer, port } from '@ringleader/config';
import { z } from 'zod';

export const gatewayConfigSchema = z.object({
  ...commonConfig,
  RINGLEADER_HTTP_HOST: z.string().default('127.0.0.1'),
  RINGLEADER_HTTP_PORT: port().default(8_080),
  /** How a replica is picked for what any replica may serve. */
  RINGLEADER_BALANCER: z.enum(['round-robin', 'random', 'weighted-random']).default('round-robin'),
  /** Requests below /v1 under way at once: more are refused with OVERLOADED. */
  RINGLEADER_REQUESTS_MAX: integer(1, 1_000_000).default(10_000),
  /** Bytes of their bodies. */
  RINGLEADER_REQUEST_BYTES_MAX: integer(8_388_608, 8_589_934_592).default(268_435_456),
  /** Of one client address: more are refused with RATE_LIMITED. */
  RINGLEADER_CLIENT_REQUESTS_MAX: integer(1, 1_000_000).default(5_000),
  /** Operations of all requests under way at once: a batch has many. */
  RINGLEADER_OPERATIONS_MAX: integer(1, 10_000_000).default(100_000),
  /** Requests with an Idempotency-Key whose first answer is remembered. */
  RINGLEADER_REPEATS_REMEMBERED: integer(0, 10_000_000).default(50_000),
});

export type GatewayConfig = Readonly<z.infer<typeof gatewayConfigSchema>>;
