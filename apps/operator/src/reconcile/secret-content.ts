/** What is in Secrets: texts by the names of files. */
import { createHash } from 'node:crypto';
import { fromSeed } from '@nats-io/nkeys';
import { describe, issue } from '@ringleader/certificates';
import type { Authority, CertificateFacts, CertifiedKey, LeafRequest } from '@ringleader/certificates';
import { OperationalError } from '@ringleader/contracts';
import type { KubeObject } from '../kubernetes/kube-api.js';

export type Content = Readonly<Record<string, string>>;

export function contentOf(secret: KubeObject): Content {
  const data = (secret['data'] ?? {}) as Content;
  return Object.fromEntries(
    Object.entries(data).map(([file, text]) => [file, Buffer.from(text, 'base64').toString()]),
  );
}

export const lacking = (name: string, what: string): OperationalError =>
  new OperationalError('CONFIG_INVALID', `The Secret ${name} cannot be used: ${what}`, { name });

export function fileIn(content: Content, file: string, name: string): string {
  const text = content[file] ?? '';
  if (text.trim() === '') throw lacking(name, `it has no file ${file}`);
  return text;
}

export function publicKeyOf(seed: string, name: string): string {
  try {
    return fromSeed(Buffer.from(seed)).getPublicKey();
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    throw lacking(name, `a seed in it is none of an nkey (${cause.message})`);
  }
}

export function factsOf(certificatePem: string, name: string): CertificateFacts {
  try {
    return describe(certificatePem);
  } catch (cause) {
    throw lacking(name, `a certificate in it cannot be read (${messageOf(cause)})`);
  }
}

/** `name`: of the Secret that the authority is from. */
export async function issuedBy(authority: Authority, name: string, leaf: LeafRequest): Promise<CertifiedKey> {
  try {
    return await issue(authority, leaf);
  } catch (cause) {
    throw lacking(name, `nothing can be issued by its ca.crt and ca.key (${messageOf(cause)})`);
  }
}

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

export function isSame(a: Content | undefined, b: Content): boolean {
  const files = new Set([...Object.keys(a ?? {}), ...Object.keys(b)]);
  return [...files].every((file) => a?.[file] === b[file]);
}

export function hashOf(content: Content): string {
  const text = JSON.stringify(Object.entries(content).sort(([a], [b]) => (a < b ? -1 : 1)));
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
