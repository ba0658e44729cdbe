import { fitProcess } from '@ringleader/config/process-memory';

// Before anything else is loaded: it may begin anew.
fitProcess();
const { run } = await import('./run.js');
await run(process.env);
