/**
 * The Content-Type as the client sent it. The web framework refuses what it cannot parse, but here it is part of the
 * value, whatever it is: so it is taken away before the framework looks.
 */
import type { IncomingMessage } from 'node:http';

const RECEIVED = Symbol('received Content-Type');

interface Marked extends IncomingMessage {
  [RECEIVED]?: string | undefined;
}

export function takeContentType(message: IncomingMessage): void {
  const { headers } = message;
  (message as Marked)[RECEIVED] = headers['content-type'];
  // Not deleted: that would slow down an object that is read all the time.
  (headers as Record<string, string | undefined>)['content-type'] = undefined;
}

export function receivedContentType(message: IncomingMessage): string | undefined {
  return (message as Marked)[RECEIVED];
}
