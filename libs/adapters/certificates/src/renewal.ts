/**
 * When a certificate is to be issued anew. Two thirds of its time are used first: what is left is for those who have to
 * notice that renewing fails, and to mend it.
 */
import { X509Certificate } from 'node:crypto';
import { CLOCK_ALLOWANCE_MS, describe } from './describe.js';
import type { LeafIdentity } from './types.js';

export type ReissueReason =
  | 'missing'
  /** Two thirds of its time are over. */
  | 'due'
  /** It is for other names, addresses or usages. */
  | 'other-identity'
  /** It was issued by another authority. */
  | 'other-authority'
  /** Another one is asked for in place of all that are as old. */
  | 'asked';

export function renewAtMs(pem: string): number {
  const { notBeforeMs, notAfterMs } = describe(pem);
  return notBeforeMs + Math.floor(((notAfterMs - notBeforeMs) * 2) / 3);
}

/** To the second: a certificate is dated back, for whose clock is behind. */
export const issuedAtMs = (pem: string): number => describe(pem).notBeforeMs + CLOCK_ALLOWANCE_MS;

export interface ReissueQuestion {
  /** What there is; null: nothing. */
  readonly certificatePem: string | null;
  /** What should be. */
  readonly identity: LeafIdentity;
  readonly authorityPem: string;
  readonly nowMs: number;
  /** What was issued before this is to be issued anew. */
  readonly anewBeforeMs?: number;
}

/** Null: it serves for longer. */
export function whyReissue(question: ReissueQuestion): ReissueReason | null {
  const { certificatePem, identity, authorityPem, nowMs, anewBeforeMs = 0 } = question;
  if (certificatePem === null) return 'missing';
  if (!isIssuedBy(certificatePem, authorityPem)) return 'other-authority';
  if (identityText(describe(certificatePem)) !== identityText(identity)) return 'other-identity';
  if (issuedAtMs(certificatePem) < anewBeforeMs) return 'asked';
  return nowMs >= renewAtMs(certificatePem) ? 'due' : null;
}

function isIssuedBy(certificatePem: string, authorityPem: string): boolean {
  const [certificate, authority] = [new X509Certificate(certificatePem), new X509Certificate(authorityPem)];
  return certificate.checkIssued(authority) && certificate.verify(authority.publicKey);
}

/** The order of names means nothing. */
function identityText({ commonName, dnsNames, addresses, usages }: LeafIdentity): string {
  return JSON.stringify([
    commonName,
    ...[dnsNames, addresses, usages].map((list) => [...new Set(list)].sort()),
  ]);
}
