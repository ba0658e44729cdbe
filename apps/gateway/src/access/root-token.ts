/** The token of the administrator: a file, as Kubernetes mounts a Secret, read again whenever it is replaced. */
import { readFileSync, unwatchFile, watchFile } from 'node:fs';
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
  hash: Buffer | null;

  /** Throws CONFIG_INVALID where there is no such token. */
  constructor(private readonly file: string) {
    this.hash = hashIn(file);
  }

  /** One that cannot be read any more is none any more. */
  follow(onChange: (error: OperationalError | null) => void): void {
    watchFile(this.file, { interval: LOOK_MS, persistent: false }, () => {
      try {
        this.hash = hashIn(this.file);
        onChange(null);
      } catch (error) {
        if (!(error instanceof OperationalError)) throw error;
        this.hash = null;
        onChange(error);
      }
    });
  }

  stop(): void {
    unwatchFile(this.file);
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
