export * from './pause-unless-aborted.js';
