import { commonConfig } from '@ringleader/config';
import { NAME_PATTERN } from '@ringleader/contracts';
import { injectable } from '@ringleader/service-host';
import { z } from 'zod';
import { OPERATOR_NAMESPACE } from './resources/index.js';

/** What every process has; the operator has a NATS for each of its clusters, and none of its own. */
const {
  RINGLEADER_MEMBER,
  RINGLEADER_PROBE_PORT,
  RINGLEADER_PROBE_HOST,
  RINGLEADER_LOG_LEVEL,
  RINGLEADER_STOP_WITHIN_MS,
  RINGLEADER_MEMORY_MIB,
  RINGLEADER_LIFELINE_FD,
} = commonConfig;

const namespace = z.string().regex(NAME_PATTERN, 'lower-case letters, digits and hyphens');
const image = z.string().min(1);

export const operatorConfigSchema = z.object({
  RINGLEADER_MEMBER,
  RINGLEADER_PROBE_PORT,
  RINGLEADER_PROBE_HOST,
  RINGLEADER_LOG_LEVEL,
  RINGLEADER_STOP_WITHIN_MS,
  RINGLEADER_MEMORY_MIB,
  RINGLEADER_LIFELINE_FD,
  /** Where the Lease of the leader is, by Kubernetes' downward API. */
  POD_NAMESPACE: namespace.default(OPERATOR_NAMESPACE),
  /** Whose clusters it looks after; absent: those of all namespaces. */
  RINGLEADER_WATCH_NAMESPACE: namespace.optional(),
  /** Of the services, where a cluster names none. Absent: that of the operator's own pod. */
  RINGLEADER_IMAGE: image.optional(),
  RINGLEADER_POSTGRES_IMAGE: image.default('postgres:17-bookworm'),
  RINGLEADER_NATS_IMAGE: image.default('nats:2.11-alpine'),
});

export abstract class OperatorConfig extends injectable<Readonly<z.infer<typeof operatorConfigSchema>>>() {}
