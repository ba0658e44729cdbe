export * from './connection.js';
export * from './control-client.js';
export * from './control-server.js';
