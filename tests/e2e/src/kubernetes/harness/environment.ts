/** Where and with what the scenarios run: by variables, so that they run on any cluster that KUBECONFIG names. */
import { RINGLEADER_VERSION } from '@ringleader/contracts';

const { env } = process;

const built = `ringleader/ringleader:${RINGLEADER_VERSION}`;
const image = env['RINGLEADER_E2E_IMAGE'] ?? built;

export const environment = {
  image,
  /** For the rolling upgrade: the same services under another name, or another version. */
  nextImage: env['RINGLEADER_E2E_NEXT_IMAGE'] ?? `${image}-next`,
  /** Absent: what the operator takes by itself. */
  postgresImage: env['RINGLEADER_E2E_POSTGRES_IMAGE'],
  natsImage: env['RINGLEADER_E2E_NATS_IMAGE'],
  /** An address at which a gateway is reached, as https://127.0.0.1:8443. Absent: the port of the Service on a node. */
  gateway: env['RINGLEADER_E2E_GATEWAY'],
  namespace: env['RINGLEADER_E2E_NAMESPACE'] ?? 'ringleader-e2e',
} as const;
