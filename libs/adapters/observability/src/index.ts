export * from './heartbeat-publisher.js';
export * from './load-meter.js';
export * from './logger.js';
export * from './metrics.js';
export * from './nest-logger.js';
export * from './system-clock.js';
export * from './together-every.js';
