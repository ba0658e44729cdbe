export { startNatsServer, startPostgres, type ServerOptions, type TestServer } from './test-server.js';
export { freePort, until } from '@ringleader/server-processes';
