export * from './control/compacted.js';
export * from './control/coordinator.js';
export * from './control/coordinator-members.js';
export {
  COORDINATOR_TXN_DEPTH_MAX,
  COORDINATOR_TXN_OPERATIONS_MAX,
  COORDINATOR_VALUE_LENGTH_MAX,
  type KeyValue,
  type StoreCompare,
  type StoreOperation,
  type StoreOperationResult,
  type ValueForm,
} from './control/coordinator-store.js';
export * from './control/coordinator-upkeep.js';
export * from './control/key-ranges.js';
export * from './control/placement.js';
export * from './control/verification.js';
export * from './control/watch-frame.js';
export * from './control/watch-stream.js';
export * from './data-path/index.js';
export * from './errors/catalogue.js';
export * from './errors/operational-error.js';
export * from './kubernetes/ringleader-annotations.js';
export * from './kubernetes/ringleader-cluster.js';
export * from './kubernetes/ringleader-cluster-status.js';
export * from './local-cluster.js';
export * from './message-contract.js';
export * from './metadata/access-metadata.js';
export * from './metadata/cluster-metadata.js';
export * from './metadata/metadata-writers.js';
export * from './metadata/placement-metadata.js';
export * from './metadata/settings-metadata.js';
export * from './storage/postgres-settings.js';
export * from './subjects.js';
export * from './telemetry/heartbeat.js';
export * from './telemetry/probe.js';
export * from './transport/envelope.js';
export * from './transport/nats-server-config.js';
export * from './transport/permissions.js';
export * from './rest/index.js';
export * from './version.js';
