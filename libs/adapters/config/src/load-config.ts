/**
 * Configuration: one schema per app, parsed once at the start, frozen, injected. Nobody else reads the environment.
 */
import { NAME_PATTERN, OperationalError } from '@ringleader/contracts';
import { z } from 'zod';
import { natsConfig } from './nats-config.js';

/** What every process has. Merge it into an app's schema: `z.object({ ...commonConfig, ... })`. */
export const commonConfig = {
  RINGLEADER_CLUSTER: z
    .string()
    .regex(NAME_PATTERN, 'lower-case letters, digits and hyphens')
    .default('local'),
  ...natsConfig,
  RINGLEADER_MEMBER: z.string().regex(NAME_PATTERN, 'lower-case letters, digits and hyphens'),
  /** Loopback HTTP for /healthz, /readyz and /metrics; absent: none. */
  RINGLEADER_PROBE_PORT: port().optional(),
  RINGLEADER_PROBE_HOST: z.string().default('127.0.0.1'),
  RINGLEADER_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']).default('info'),
  /** A descriptor that ends with the supervisor, for the process to end too; absent: none. Supervisors set it. */
  RINGLEADER_LIFELINE_FD: integer(3, 1_024).optional(),
};

/** A TCP port; 0 lets the system choose. */
export function port(): z.ZodCoercedNumber<unknown> {
  return z.coerce.number().int().min(0).max(65_535);
}

/** An integer from an environment variable. */
export function integer(min: number, max: number): z.ZodCoercedNumber<unknown> {
  return z.coerce.number().int().min(min).max(max);
}

/**
 * Throws CONFIG_INVALID which names every variable that is wrong, and what is allowed. An empty variable counts as
 * absent, as Kubernetes manifests often leave them.
 */
export function loadConfig<Schema extends z.ZodType>(
  schema: Schema,
  environment: Readonly<Record<string, string | undefined>>,
): Readonly<z.infer<Schema>> {
  const present = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = schema.safeParse(present);
  if (!parsed.success) {
    const issues = parsed.error.issues.map(({ path, message }) => ({ variable: path.join('.'), message }));
    const list = issues.map(({ variable, message }) => `${variable}: ${message}`).join('; ');
    throw new OperationalError('CONFIG_INVALID', `The configuration is not valid: ${list}`, { issues });
  }
  return Object.freeze(parsed.data);
}
