/**
 * Files whose content is used while the process runs, and which others replace: certificates, tokens. They are read again
 * and again instead of being watched: what the kernel tells of a path says nothing where Kubernetes exchanges a symbolic
 * link on the way to it, and a few small files cost next to nothing.
 */
import { readFile } from 'node:fs/promises';
import type { Logger } from '@ringleader/observability';

export interface FollowedFiles {
  readonly paths: readonly string[];
  /** In use already. */
  readonly contents: readonly Buffer[];
  /** Uses what is new. Throws where it cannot be used: then the process goes on with what it has. */
  readonly use: (contents: readonly Buffer[]) => void;
  readonly logger: Pick<Logger, 'info' | 'error'>;
  readonly everyMs?: number;
}

const EVERY_MS = 1_000;

/**
 * Whatever is found twice in a row, unchanged, is used: several files are not replaced in one instant, nor is one written in
 * one. Calling what this gives ends it.
 */
export function followFiles(options: FollowedFiles): () => void {
  const { paths, contents, use, logger, everyMs = EVERY_MS } = options;
  let handled = textOf(contents);
  let seen = handled;
  let isReading = false;
  const look = async (): Promise<void> => {
    const found = await Promise.all(paths.map((path) => readFile(path))).catch(
      (error: unknown) => error as Error,
    );
    const text = found instanceof Error ? found.message : textOf(found);
    const isSettled = text === seen;
    seen = text;
    if (!isSettled || text === handled) return;
    handled = text;
    try {
      if (found instanceof Error) throw found;
      use(found);
      logger.info({ paths }, 'Files were replaced: what is new is in use');
    } catch (error) {
      logger.error(
        { paths, error },
        'Files were replaced by what cannot be used: the old content stays in use',
      );
    }
  };
  const timer = setInterval(() => {
    if (isReading) return;
    isReading = true;
    void look().finally(() => (isReading = false));
  }, everyMs).unref();
  return () => clearInterval(timer);
}

const textOf = (contents: readonly Buffer[]): string =>
  contents.map((content) => content.toString('base64')).join();
