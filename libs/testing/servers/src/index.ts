export { startNatsServer, startPostgres, type ServerOptions, type TestServer } from './test-server.js';
export { freePort, startChild, until, workspaceRoot } from '@ringleader/server-processes';
export type { Child, ChildExit } from '@ringleader/server-processes';
