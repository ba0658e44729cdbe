/**
 * What every session of ours says first. A role, a database or the server may have each of these otherwise (`ALTER ROLE ...
 * SET`, `ALTER SYSTEM` and a reload in the middle of a session): what a session has set itself stays.
 *
 * Values come back as hexadecimal digits: in the other form they would be read as rows that are damaged. A statement
 * that takes too long, and a server that says nothing, the connection notices by itself; a session that has nothing to do
 * is to stay. Settings that only a newer PostgreSQL knows are no error in an older one.
 */
const SETTINGS =
  'SET bytea_output = hex; ' +
  "SET default_transaction_isolation = 'read committed'; " +
  "SELECT set_config(name, '0', false) FROM pg_settings WHERE name IN ('statement_timeout', 'lock_timeout', " +
  "'transaction_timeout', 'idle_session_timeout', 'idle_in_transaction_session_timeout'); " +
  'SET client_min_messages = warning';

export function sessionSettings(preamble?: string): string {
  return preamble === undefined ? SETTINGS : `${SETTINGS}; ${preamble}`;
}
