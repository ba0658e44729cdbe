/**
 * The token of the administrator: a file, as Kubernetes mounts a Secret, read again whenever it is replaced; and those that are taken
 * beside it while one takes the place of another, in files that may be missing.
 */
import { existsSync, readFileSync, unwatchFile, watchFile } from 'node:fs';
import { OperationalError, ROOT_TOKEN_ID } from '@ringleader/contracts';
import type { RootToken } from './authenticator.js';
import { almighty } from './caller.js';
import { hashOf } from './known-tokens.js';

/** What fits in an Authorization header, and nobody guesses. */
const TOKEN = /^[A-Za-z0-9\-._~+/]{32,512}=*$/;
/** A Secret's files are links, which are exchanged: no event tells of that, but what they lead to is another file. */
const LOOK_MS = 1_000;
const VARIABLE = 'RINGLEADER_ROOT_TOKEN_FILE';

export class RootTokenFile implements RootToken {
  readonly caller = almighty(ROOT_TOKEN_ID);
  hashes: readonly Buffer[];

  /** Throws CONFIG_INVALID where there is no such token. */
  constructor(
    private readonly file: string,
    private readonly also: readonly string[] = [],
  ) {
    this.hashes = this.read();
  }

  /** Those that cannot be read any more are none any more. `ended`: one that was taken is taken no more. */
  follow(onChange: (error: OperationalError | null, ended: boolean) => void): void {
    const look = (): void => {
      const before = this.hashes;
      let trouble: OperationalError | null = null;
      try {
        this.hashes = this.read();
      } catch (error) {
        if (!(error instanceof OperationalError)) throw error;
        this.hashes = [];
        trouble = error;
      }
      const isTaken = (one: Buffer): boolean => this.hashes.some((hash) => hash.equals(one));
      onChange(trouble, !before.every(isTaken));
    };
    for (const file of [this.file, ...this.also])
      watchFile(file, { interval: LOOK_MS, persistent: false }, look);
  }

  stop(): void {
    for (const file of [this.file, ...this.also]) unwatchFile(file);
  }

  private read(): Buffer[] {
    return [this.file, ...this.also.filter((file) => existsSync(file))].map(hashIn);
  }
}

function hashIn(file: string): Buffer {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? 'unreadable';
    throw new OperationalError(
      'CONFIG_INVALID',
      `${VARIABLE}: ${file} cannot be read: ${reason}`,
      {},
      { cause },
    );
  }
  if (TOKEN.test(text)) return hashOf(text);
  const rule = 'must hold one token of 32 characters or more, of those that a bearer token may have';
  throw new OperationalError('CONFIG_INVALID', `${VARIABLE}: ${file} ${rule}`);
}
