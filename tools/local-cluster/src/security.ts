/**
 * What `npm start -- --secure` keeps secret, and shows: an authority of the cluster's own, certificates for the nats-servers
 * and the gateways, a key for each service, and the token of the administrator. All of it lies in one folder for its
 * owner's eyes. Certificates that are due are renewed at the start and while the cluster runs; the authority at the start only, since
 * whoever trusts it has to be told.
 */
import { createAuthority, issue, renewAtMs, whyReissue } from '@ringleader/certificates';
import type { Authority, CertifiedKey, LeafIdentity } from '@ringleader/certificates';
import { keptText, replaceFile } from '@ringleader/server-processes';
import { X509Certificate, createPrivateKey, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Where things lie. */
export interface Security {
  /** Whose key nobody but this program reads; its certificate is the `caFile` of all others. */
  readonly authority: PairFiles;
  readonly caFile: string;
  readonly nats: PairFiles;
  readonly gateway: PairFiles;
  /** Holds a seed for each service. */
  readonly seeds: string;
  readonly rootTokenFile: string;
}

interface PairFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** What one needs to call a gateway. */
export interface GatewayAccess {
  readonly ca: string;
  readonly token: string;
}

const DAY_MS = 86_400_000;
const AUTHORITY_DAYS = 3_650;
const LEAF_DAYS = 365;
const ROOT_TOKEN = /^rl_root_[\w-]{43}$/;
const SECRET_BYTES = 32;

/** However the machine calls itself: nothing of a local cluster listens on anything but loopback. */
const LOOPBACK = { dnsNames: ['localhost'], addresses: ['127.0.0.1', '::1'] };

const AUTHORITY = 'Ringleader on this machine';
const LEAVES: Readonly<Record<'nats' | 'gateway', LeafIdentity>> = {
  // Servers of NATS are each other's clients.
  nats: { ...LOOPBACK, commonName: 'nats-server', usages: ['server', 'client'] },
  gateway: { ...LOOPBACK, commonName: 'gateway', usages: ['server'] },
};

const pairIn = (folder: string, name: string): PairFiles => ({
  certFile: join(folder, `${name}.crt`),
  keyFile: join(folder, `${name}.key`),
});

export function securityIn(dataFolder: string): Security {
  const folder = join(dataFolder, 'secure');
  const authority = pairIn(folder, 'ca');
  return {
    authority,
    caFile: authority.certFile,
    nats: pairIn(folder, 'nats'),
    gateway: pairIn(folder, 'gateway'),
    seeds: join(folder, 'nats-keys'),
    rootTokenFile: join(folder, 'root-token'),
  };
}

export function accessOf({
  caFile,
  rootTokenFile,
}: Pick<Security, 'caFile' | 'rootTokenFile'>): GatewayAccess {
  return { ca: readFileSync(caFile, 'utf8'), token: readFileSync(rootTokenFile, 'utf8').trim() };
}

/** Makes what is not there, and renews what is due. Everything that uses it starts behind this. */
export async function secure(
  dataFolder: string,
  say: (text: string) => void,
  nowMs = Date.now(),
): Promise<Security> {
  const security = securityIn(dataFolder);
  await mkdir(dirname(security.caFile), { recursive: true, mode: 0o700 });
  const authority = await keptAuthority(security.authority, say, nowMs);
  await issueDue(security, authority, say, nowMs);
  keptText(
    security.rootTokenFile,
    ROOT_TOKEN,
    () => `rl_root_${randomBytes(SECRET_BYTES).toString('base64url')}`,
  );
  return security;
}

type Leaf = keyof typeof LEAVES;

/** Answers which were issued anew. */
async function issueDue(
  security: Security,
  authority: Authority,
  say: (text: string) => void,
  nowMs: number,
): Promise<readonly Leaf[]> {
  const issued: Leaf[] = [];
  for (const name of ['nats', 'gateway'] as const) {
    const identity = LEAVES[name];
    const kept = pairOf(security[name]);
    const question = { identity, authorityPem: authority.certificatePem, nowMs };
    const reason = whyReissue({ ...question, certificatePem: kept?.certificatePem ?? null });
    if (reason === null) continue;
    keep(
      security[name],
      await issue(authority, { ...identity, notBeforeMs: nowMs, validForMs: LEAF_DAYS * DAY_MS }),
    );
    issued.push(name);
    if (reason === 'due') say(`✓ the certificate of ${identity.commonName} is renewed`);
  }
  return issued;
}

/** Of a cluster that runs: answers whose certificates are others now. What a hand has torn meanwhile waits for the next start. */
export async function renewDue(
  security: Security,
  say: (text: string) => void,
  nowMs = Date.now(),
): Promise<readonly Leaf[]> {
  const authority = pairOf(security.authority);
  if (authority === null) {
    say('✗ certificates cannot be renewed: the authority’s are torn; the next start makes another authority');
    return [];
  }
  if (nowMs >= renewAtMs(authority.certificatePem))
    say('✗ the authority is due, and is replaced at the next start only: certificates end with it');
  return issueDue(security, authority, say, nowMs);
}

async function keptAuthority(
  files: PairFiles,
  say: (text: string) => void,
  nowMs: number,
): Promise<Authority> {
  const kept = pairOf(files);
  const identity = { commonName: AUTHORITY, dnsNames: [], addresses: [], usages: [] };
  if (kept !== null) {
    const { certificatePem, certificatePem: authorityPem } = kept;
    if (whyReissue({ certificatePem, authorityPem, identity, nowMs }) === null) return kept;
    say(`✓ the authority is replaced: whoever trusts the old one has to be given ${files.certFile} anew`);
  }
  const request = { commonName: AUTHORITY, notBeforeMs: nowMs, validForMs: AUTHORITY_DAYS * DAY_MS };
  const authority = await createAuthority(request);
  keep(files, authority);
  return authority;
}

/** Null where there is none, or one that a crash or an editor has torn. */
function pairOf({ certFile, keyFile }: PairFiles): CertifiedKey | null {
  if (!existsSync(certFile) || !existsSync(keyFile)) return null;
  const [certificatePem, keyPem] = [readFileSync(certFile, 'utf8'), readFileSync(keyFile, 'utf8')];
  try {
    const isPair = new X509Certificate(certificatePem).checkPrivateKey(createPrivateKey(keyPem));
    return isPair ? { certificatePem, keyPem } : null;
  } catch {
    return null;
  }
}

function keep({ certFile, keyFile }: PairFiles, { certificatePem, keyPem }: CertifiedKey): void {
  replaceFile(keyFile, keyPem, { flush: true });
  replaceFile(certFile, certificatePem, { flush: true });
}
