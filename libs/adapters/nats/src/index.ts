export * from './connection.js';
export * from './control-client.js';
export { ControlServer } from './control-server.js';
export type { ControlServerOptions } from './control-server.js';
export * from './handles.js';
export * from './heartbeat-sink.js';
export * from './links.js';
export * from './nats-errors.js';
export * from './nats-link.js';
