/** token ...: who may do what through the gateways. */
import { ROLES, grantSchema } from '@ringleader/contracts';
import type { Grant, Role, Token, TokenCreated, TokenList, TokenRequest } from '@ringleader/contracts';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { bodyOf } from './gateway-client.js';
import { type GlobalFlags, clientOf, integer } from './global-options.js';
import { shown, table } from './table.js';

interface CreateFlags extends GlobalFlags {
  readonly name: string;
  readonly grant: readonly Grant[];
  readonly expires?: number;
  readonly description?: string;
  readonly requestsPerSecond?: number;
  readonly serviceAccount?: string;
}

const GRANT = new RegExp(`^(${ROLES.join('|')}):(.*)$`, 's');
const AGE = /^(\d{1,6})([smhdw])$/;
const SECONDS_OF: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 };
const MS_PER_SECOND = 1_000;
/** A whole token is taken for its id, too: whoever has found one somewhere revokes it as it is. */
const ID = /^(?:rl_)?([a-z0-9]{12})(?:_[\w-]*)?$/;

export function grantOf(text: string, before: readonly Grant[] = []): Grant[] {
  const [, role, prefix = ''] = GRANT.exec(text) ?? [];
  const grant = grantSchema.safeParse({ role, prefix });
  if (role !== undefined && grant.success) return [...before, { role: role as Role, prefix }];
  throw new InvalidArgumentError(
    'It must be read:PREFIX, write:PREFIX or admin:PREFIX; of all keys, and the cluster, admin:',
  );
}

/** In milliseconds. */
export function ageOf(text: string): number {
  const [, count, unit = ''] = AGE.exec(text) ?? [];
  const seconds = Number(count) * (SECONDS_OF[unit] ?? 0);
  if (seconds > 0) return seconds * MS_PER_SECOND;
  throw new InvalidArgumentError('It must be a time as in 30d, 12h or 90m.');
}

function idOf(text: string): string {
  const [, id] = ID.exec(text) ?? [];
  if (id !== undefined) return id;
  throw new InvalidArgumentError('It must be the id of a token, as token list shows it.');
}

export function describeTokens(tokens: readonly Token[]): string {
  const rows = tokens.map(({ id, name, grants, expiresAt, requestsPerSecond, serviceAccount }) => [
    id,
    shown(name),
    grants.map(({ role, prefix }) => shown(`${role}:${prefix}`)).join(' '),
    expiresAt ?? 'never',
    requestsPerSecond === undefined ? '' : `${requestsPerSecond}/s`,
    serviceAccount ?? '',
  ]);
  return table(['ID', 'NAME', 'GRANTS', 'EXPIRES', 'LIMIT', 'SERVICE ACCOUNT'], rows);
}

/** On standard output nothing but the secret, so that it can go into a file that nobody else reads. */
async function create(command: Command): Promise<void> {
  const flags = command.optsWithGlobals<CreateFlags>();
  const { name, grant: grants, expires, description, requestsPerSecond, serviceAccount } = flags;
  const client = clientOf(flags);
  const asked: TokenRequest = {
    ...{ name, grants: [...grants] },
    ...(expires !== undefined && { expiresAt: new Date(Date.now() + expires).toISOString() }),
    ...(description !== undefined && { description }),
    ...(requestsPerSecond !== undefined && { requestsPerSecond }),
    ...(serviceAccount !== undefined && { serviceAccount }),
  };
  const created = bodyOf<TokenCreated>(await client.createToken(asked), client, true);
  if (flags.format === 'json') {
    console.log(JSON.stringify(created));
    return;
  }
  const { id, expiresAt, token } = created;
  const until = expiresAt === null ? 'never expires' : `expires at ${expiresAt}`;
  if (token !== undefined) console.log(token);
  const once = token === undefined ? '' : '; the secret is told only here';
  console.error(`Token ${id} ${until}${once}.`);
}

async function list(command: Command): Promise<void> {
  const flags = command.optsWithGlobals<GlobalFlags>();
  const client = clientOf(flags);
  const { items } = bodyOf<TokenList>(await client.tokens(), client);
  console.log(flags.format === 'json' ? JSON.stringify(items, null, 2) : describeTokens(items));
}

async function revoke(id: string, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<GlobalFlags>();
  const client = clientOf(flags);
  bodyOf(await client.revokeToken(id), client, true);
  console.log(flags.format === 'json' ? JSON.stringify({ id }) : `${id} is revoked.`);
}

export function addTokenCommands(root: Command): void {
  const noun = root.command('token').description('Tokens: who may do what through the gateways.');
  noun
    .command('create')
    .description('Makes a token and prints its secret, which is told only then.')
    .requiredOption('--name <name>', 'for people, and for the audit log')
    .addOption(
      new Option('--grant <role:prefix>', 'read, write or admin of the keys with a prefix; again for more')
        .argParser(grantOf)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option(
        '--expires <age>',
        'as in 30d or 12h; without it as the token by which it is made',
      ).argParser(ageOf),
    )
    .option('--description <text>', 'what it is for')
    .addOption(new Option('--requests-per-second <n>', 'at each gateway').argParser(integer(1, 1_000_000)))
    .option(
      '--service-account <namespace/name>',
      'takes the tokens of this ServiceAccount of Kubernetes; there is no secret then',
    )
    .action((_flags: unknown, command: Command) => create(command));
  noun
    .command('list')
    .description('Tokens that you may manage, without secrets; with -o json a list.')
    .action((_flags: unknown, command: Command) => list(command));
  noun
    .command('revoke')
    .description('Takes a token back: all gateways refuse it within moments.')
    .argument('<id>', 'as token list shows it', idOf)
    .action((id: string, _flags: unknown, command: Command) => revoke(id, command));
}
