export * from './planning/types.js';
export * from './resources/index.js';
export { decide } from './planning/decide.js';
export { APPLIED_HASH_ANNOTATION } from './planning/applied-hash.js';
export { CLUSTER_FINALIZER } from './planning/deletion.js';
