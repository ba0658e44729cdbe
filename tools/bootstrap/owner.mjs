const POLL_MS = 500;

/**
 * Calls `action` when the process that started this one has ended without ending it: npm was killed, and nobody waits for the
 * script any more. (npm's shell replaces itself by the script: see `exec` in package.json.) Only under `npm start`, or for a
 * program that says it wants this: who puts the starter itself into the background of a script means it to go on when
 * the script ends. Gives a function that stops watching.
 */
export function whenOwnerIsGone(action) {
  const { npm_lifecycle_event: script, RINGLEADER_STOP_WITH_PARENT: wanted } = process.env;
  if (script !== 'start' && wanted !== '1') return () => undefined;
  const owner = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === owner) return;
    clearInterval(timer);
    action();
  }, POLL_MS);
  return () => clearInterval(timer);
}
