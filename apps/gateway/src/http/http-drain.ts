import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { REST_LIMITS } from '@ringleader/contracts';
import type { Server } from 'node:http';

const IDLE_CHECK_MS = 50;
/** To write an answer that was made at the last moment. */
const ANSWER_MS = 2_000;

/**
 * Accepts nothing new and lets what is under way end by its clients' own deadlines; only a client that has not read its
 * answer long after the longest of them is cut off.
 */
@Injectable()
export class HttpDrain implements BeforeApplicationShutdown {
  constructor(private readonly host: HttpAdapterHost) {}

  async beforeApplicationShutdown(): Promise<void> {
    const server = this.host.httpAdapter.getHttpServer() as Server;
    if (!server.listening) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    // Connections that become idle only when their last answer is out would be kept open for the next request.
    const idle = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS);
    const cut = setTimeout(() => server.closeAllConnections(), REST_LIMITS.timeoutMsMax + ANSWER_MS);
    await closed;
    clearInterval(idle);
    clearTimeout(cut);
  }
}
