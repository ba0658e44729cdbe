import { DEFAULT_CONTENT_TYPE, REST_LIMITS, type Item } from '@ringleader/contracts';
import { CliFailure, closed, exitCodeOf, EXIT } from '../failure.js';
import type { GatewayClient, ListPage } from '../gateway-client.js';
import type { Output } from './output.js';
import { isWorthRepeating, Patience } from '../retrying.js';

export interface ExportOptions {
  readonly prefix: string;
  readonly giveUpMs: number;
}

/** A line that `import` reads back into the same value: no more fields than it needs. */
export function lineOf({ key, value, valueBase64, contentType }: Item): string {
  const type = contentType === undefined || contentType === DEFAULT_CONTENT_TYPE ? {} : { contentType };
  return JSON.stringify({ key, ...(value === undefined ? { valueBase64 } : { value }), ...type });
}

async function fetchPage(
  client: GatewayClient,
  query: Record<string, string>,
  patience: Patience,
): Promise<ListPage> {
  for (;;) {
    const { status, body, code, detail, retryAfterMs } = await client.list(query);
    if (body !== undefined) {
      patience.succeeded();
      return body;
    }
    if (isWorthRepeating(status, code) && (await patience.wait(retryAfterMs))) continue;
    const exitCode = status === 0 ? EXIT.nothingDone : exitCodeOf(status, code);
    throw new CliFailure(closed(`The export stopped: ${detail ?? code ?? `status ${status}`}`), {
      exitCode,
      ...(status === 0 ? {} : { status }),
      ...(code === undefined ? {} : { code }),
    });
  }
}

/** Writes every key and value, in the order of the keys' bytes; gives their number. One page is in memory at a time. */
export async function exportTo(
  output: Pick<Output, 'write'>,
  client: GatewayClient,
  options: ExportOptions,
  signal: AbortSignal,
): Promise<number> {
  const patience = new Patience(options.giveUpMs, signal);
  const query: Record<string, string> = { limit: String(REST_LIMITS.listLimitMax) };
  if (options.prefix !== '') query['prefix'] = options.prefix;
  let count = 0;
  for (;;) {
    const page = await fetchPage(client, query, patience);
    const text = page.items.map((item) => `${lineOf(item)}\n`).join('');
    if (text !== '') await output.write(text);
    // Whoever reads may take long over it, which says nothing of the cluster.
    patience.succeeded();
    count += page.items.length;
    if (page.cursor === undefined) return count;
    query['cursor'] = page.cursor;
  }
}
