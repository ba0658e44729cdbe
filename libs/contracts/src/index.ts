export * from './control/coordinator.js';
export * from './errors/catalogue.js';
export * from './errors/operational-error.js';
export * from './message-contract.js';
export * from './metadata/cluster-metadata.js';
export * from './subjects.js';
export * from './telemetry/heartbeat.js';
