/** Frames of the data path stay below 4 MiB; the limit leaves room for twice that. */
const MAX_PAYLOAD_BYTES = 8 * 1024 * 1024;

/** A server for one machine: loopback only, nothing on disk but its log. */
export function natsConfiguration(port: number): string {
  return [
    'server_name: ringleader-local',
    'host: 127.0.0.1',
    `port: ${port}`,
    `max_payload: ${MAX_PAYLOAD_BYTES}`,
    'max_pending: 268435456',
    'logtime: true',
    '',
  ].join('\n');
}
