export * from './load-config.js';
export * from './nats-config.js';
