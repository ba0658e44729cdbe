export * from './checks.js';
export * from './custom-resource-definition.js';
export * from './generated-files.js';
export * from './structural-schema.js';
