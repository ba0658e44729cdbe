export * from './connection.js';
export * from './control-client.js';
export * from './control-server.js';
export * from './heartbeat-sink.js';
