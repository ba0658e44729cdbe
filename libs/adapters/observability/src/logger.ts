/**
 * Logs are JSON lines on standard output: a constant message, fields apart, the error last (docs/ARCHITECTURE.md).
 */
import { pino } from 'pino';
import type { Logger } from 'pino';
import { LineWriter } from './line-writer.js';

export type { Logger } from 'pino';

export interface LoggerOptions {
  readonly level: string;
  readonly service: string;
  readonly member: string;
}

export function createLogger({ level, service, member }: LoggerOptions): Logger {
  const base = { service, member, pid: process.pid };
  const settings = {
    base,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { error: pino.stdSerializers.errWithCause },
  };
  const lines = new LineWriter((lost) => {
    let line = '';
    pino(settings, { write: (text) => void (line = text) }).warn(
      { lost },
      'Lines of the log could not be written',
    );
    return line;
  });
  return pino({ ...settings, level }, lines);
}
