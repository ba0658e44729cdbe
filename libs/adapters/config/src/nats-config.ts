/**
 * How a process reaches NATS: the variables, which every process has, and their cross-checks. Secrets are best given as
 * files: those are read again at each connect, so that they can be changed without a restart.
 */
import { OperationalError } from '@ringleader/contracts';
import { z } from 'zod';

const filePath = z.string().min(1).optional();

export const natsConfig = {
  /** One server or several, with commas between: `nats://` or `tls://`, perhaps with user information. */
  RINGLEADER_NATS_URL: z
    .string()
    .superRefine((list, context) => {
      for (const problem of urlProblems(list)) context.addIssue({ code: 'custom', message: problem });
    })
    .default('nats://127.0.0.1:4222'),
  /** Whether servers that the cluster tells of are used too. `no` where clients cannot reach the addresses it tells. */
  RINGLEADER_NATS_DISCOVERY: z.enum(['yes', 'no']).default('yes'),
  RINGLEADER_NATS_USER: z.string().min(1).optional(),
  RINGLEADER_NATS_PASSWORD: z.string().min(1).optional(),
  RINGLEADER_NATS_PASSWORD_FILE: filePath,
  /** A credentials file: JSON web token and seed. */
  RINGLEADER_NATS_CREDENTIALS_FILE: filePath,
  /** The seed of an nkey. */
  RINGLEADER_NATS_NKEY_FILE: filePath,
  /** Of a process that a server refuses. `wait` where keys and certificates change while servers and processes run. */
  RINGLEADER_NATS_REFUSED: z.enum(['end', 'wait']).default('end'),
  /** Any of these three, or `tls://`, and the connection is encrypted or not made. */
  RINGLEADER_NATS_CA_FILE: filePath,
  RINGLEADER_NATS_CERT_FILE: filePath,
  RINGLEADER_NATS_KEY_FILE: filePath,
};

export type NatsConfig = Readonly<z.infer<z.ZodObject<typeof natsConfig>>>;

export type NatsIdentity =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'password'; readonly user: string; readonly password: string }
  | { readonly kind: 'passwordFile'; readonly user: string; readonly file: string }
  | { readonly kind: 'credentials'; readonly file: string }
  | { readonly kind: 'nkey'; readonly file: string }
  /** In memory: of who has it from elsewhere than a file. */
  | { readonly kind: 'seed'; readonly seed: string };

export interface NatsTls {
  readonly caFile?: string;
  /** In place of a file: the certificates themselves, as PEM. */
  readonly ca?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
}

/** What the variables come to. */
export interface NatsSettings {
  /** `host:port` with its scheme; no user information. */
  readonly servers: readonly string[];
  readonly identity: NatsIdentity;
  /** Null: unencrypted unless the server asks for it. */
  readonly tls: NatsTls | null;
  readonly discovery: boolean;
  /** Whether a process that is refused ends, or tries again, ever more rarely. */
  readonly onRefusal: 'end' | 'wait';
}

/** Throws CONFIG_INVALID where variables contradict each other. */
export function natsSettings(config: NatsConfig): NatsSettings {
  const urls = split(config.RINGLEADER_NATS_URL).map((text) => new URL(text));
  return {
    servers: urls.map(({ protocol, host }) => `${protocol}//${host}`),
    identity: identityOf(config, urls),
    tls: tlsOf(config, urls),
    discovery: config.RINGLEADER_NATS_DISCOVERY === 'yes',
    onRefusal: config.RINGLEADER_NATS_REFUSED,
  };
}

const split = (list: string): string[] => list.split(',').map((text) => text.trim());

function urlProblems(list: string): string[] {
  const urls = split(list);
  const problems = urls.flatMap((text, i) => {
    const what = urls.length === 1 ? '' : `server ${i + 1} `;
    const problem = urlProblem(text);
    return problem === null ? [] : [`${what}${problem}`];
  });
  const isTls = (text: string): boolean => text.startsWith('tls:');
  if (urls.some(isTls) && !urls.every(isTls)) problems.push('must be all tls:// or all nats://');
  return problems;
}

/** Never repeats the text: it may hold a password. */
function urlProblem(text: string): string | null {
  if (!URL.canParse(text)) return 'must be a URL such as nats://127.0.0.1:4222';
  const url = new URL(text);
  if (url.protocol !== 'nats:' && url.protocol !== 'tls:') return 'must begin with nats:// or tls://';
  if (url.hostname === '') return 'must name a host';
  if (!['', '/'].includes(`${url.pathname}${url.search}${url.hash}`)) return 'must end behind the port';
  if ((url.username === '') !== (url.password === ''))
    return 'must have both user and password before the @, or neither';
  if (decoded(url.username) === null || decoded(url.password) === null)
    return 'has user information whose %-escapes are not valid';
  return null;
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return null;
    throw error;
  }
}

function identityOf(config: NatsConfig, urls: readonly URL[]): NatsIdentity {
  const { RINGLEADER_NATS_CREDENTIALS_FILE: credentials, RINGLEADER_NATS_NKEY_FILE: nkey } = config;
  const candidates = [...identitiesOfUrls(urls), ...identitiesOfUser(config)];
  if (credentials !== undefined) candidates.push({ kind: 'credentials', file: credentials });
  if (nkey !== undefined) candidates.push({ kind: 'nkey', file: nkey });
  const [identity = { kind: 'anonymous' }, ...others] = candidates;
  if (others.length > 0) {
    throw invalid(
      'RINGLEADER_NATS_URL',
      'says who this process is more than once: user information in URLs (the same in all), a user with a password, ' +
        'a credentials file and an nkey exclude each other',
    );
  }
  return identity;
}

function identitiesOfUrls(urls: readonly URL[]): NatsIdentity[] {
  const named = urls.filter(({ username }) => username !== '');
  const distinct = new Map(named.map((url) => [`${url.username}:${url.password}`, url]));
  return [...distinct.values()].map(({ username, password }) => ({
    kind: 'password',
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
  }));
}

function identitiesOfUser(config: NatsConfig): NatsIdentity[] {
  const {
    RINGLEADER_NATS_USER: user,
    RINGLEADER_NATS_PASSWORD: password,
    RINGLEADER_NATS_PASSWORD_FILE: file,
  } = config;
  const hasPassword = password !== undefined || file !== undefined;
  if (user === undefined) {
    if (hasPassword) throw invalid('RINGLEADER_NATS_USER', 'is missing, but there is a password');
    return [];
  }
  if (password !== undefined && file === undefined) return [{ kind: 'password', user, password }];
  if (password === undefined && file !== undefined) return [{ kind: 'passwordFile', user, file }];
  throw invalid(
    'RINGLEADER_NATS_PASSWORD_FILE',
    'or RINGLEADER_NATS_PASSWORD must be given with RINGLEADER_NATS_USER, not both',
  );
}

function tlsOf(config: NatsConfig, urls: readonly URL[]): NatsTls | null {
  const {
    RINGLEADER_NATS_CA_FILE: caFile,
    RINGLEADER_NATS_CERT_FILE: certFile,
    RINGLEADER_NATS_KEY_FILE: keyFile,
  } = config;
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw invalid('RINGLEADER_NATS_CERT_FILE', 'and RINGLEADER_NATS_KEY_FILE must be given together');
  }
  const isWanted =
    caFile !== undefined || certFile !== undefined || urls.some((url) => url.protocol === 'tls:');
  if (!isWanted) return null;
  return {
    ...(caFile === undefined ? {} : { caFile }),
    ...(certFile === undefined ? {} : { certFile }),
    ...(keyFile === undefined ? {} : { keyFile }),
  };
}

function invalid(variable: string, message: string): OperationalError {
  return new OperationalError('CONFIG_INVALID', `The configuration is not valid: ${variable} ${message}`, {
    issues: [{ variable, message }],
  });
}
