export * from './messages.js';
export * from './ready.js';
export * from './records.js';
export * from './requests.js';
export * from './storage.js';
