export { testAuthority, writeCertificate, type CertificateFiles } from './certificates.js';
export { locateChromium } from './chromium.js';
export {
  startNatsCluster,
  startNatsServer,
  startPostgres,
  type NatsAccess,
  type NatsClusterOptions,
  type ServerOptions,
  type TestServer,
} from './test-server.js';
export {
  freePort,
  natsPasswordFile,
  natsPasswords,
  natsSeedFile,
  natsSeeds,
  postgresPrograms,
  startChild,
  unprivileged,
  until,
  workspaceRoot,
} from '@ringleader/server-processes';
export type { Child, ChildExit } from '@ringleader/server-processes';
