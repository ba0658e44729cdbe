/**
 * Generated passwords for a nats-server on this machine: a file for each service, for its owner's eyes only. They reach
 * processes by their path, never by an argument, the environment or a log.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SERVICES } from '@ringleader/contracts';
import type { NatsCredential, Service } from '@ringleader/contracts';

export interface NatsPasswords {
  readonly users: Readonly<Record<Service, NatsCredential>>;
  /** What the servers know each other by. */
  readonly routes: { readonly user: string; readonly password: string };
}

const PASSWORD_BYTES = 24;
const ROUTES = 'routes';

export function natsPasswordFile(folder: string, service: Service): string {
  return join(folder, service);
}

/** Makes what is not there. */
export async function natsPasswords(folder: string): Promise<NatsPasswords> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const users = await Promise.all(
    SERVICES.map(async (service) => {
      const password = await keptPassword(natsPasswordFile(folder, service));
      return [service, { kind: 'password', password }] as const;
    }),
  );
  return {
    users: Object.fromEntries(users) as Record<Service, NatsCredential>,
    routes: { user: ROUTES, password: await keptPassword(join(folder, ROUTES)) },
  };
}

async function keptPassword(path: string): Promise<string> {
  const fresh = randomBytes(PASSWORD_BYTES).toString('base64url');
  try {
    await writeFile(path, `${fresh}\n`, { mode: 0o600, flag: 'wx' });
    return fresh;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const kept = (await readFile(path, 'utf8')).trim();
    if (/^[\w-]{16,}$/.test(kept)) return kept;
    // Torn by a crash while it was made.
    await writeFile(path, `${fresh}\n`, { mode: 0o600 });
    return fresh;
  }
}
