import type { LoggerService } from '@nestjs/common';
import type { Logger } from './logger.js';

/** NestJS' own lines in our form. Its start-up chatter is of interest only when something is wrong: debug. */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(message: unknown, ...context: unknown[]): void {
    this.logger.debug({ context }, String(message));
  }
  error(message: unknown, ...context: unknown[]): void {
    // What keeps the application from beginning is thrown as well, and then said by whoever runs it.
    if (context.at(-1) === 'ExceptionHandler') {
      this.debug(message, ...context);
      return;
    }
    this.logger.error({ context, error: message instanceof Error ? message : undefined }, String(message));
  }
  warn(message: unknown, ...context: unknown[]): void {
    this.logger.warn({ context }, String(message));
  }
  debug(message: unknown, ...context: unknown[]): void {
    this.logger.debug({ context }, String(message));
  }
  verbose(message: unknown, ...context: unknown[]): void {
    this.logger.trace({ context }, String(message));
  }
}
