/**
 * When a certificate is to be issued anew. Two thirds of its time are used first: what is left is for those who have to
 * notice that renewing fails, and to mend it.
 */
import { X509Certificate } from 'node:crypto';
import { canonicalAddress } from './addresses.js';
import { CLOCK_ALLOWANCE_MS, describe } from './describe.js';
import type { CertificateFacts, LeafIdentity } from './types.js';

export type ReissueReason =
  | 'missing'
  /** What there is is none. */
  | 'unreadable'
  /** Its time is over, or still to come: whoever issued it had another idea of the time. */
  | 'not-valid'
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
  const facts = factsIn(certificatePem);
  if (facts === null) return 'unreadable';
  if (!isValidAt(certificatePem, nowMs)) return 'not-valid';
  if (!isIssuedBy(certificatePem, authorityPem)) return 'other-authority';
  if (identityText(facts) !== identityText(identity)) return 'other-identity';
  if (issuedAtMs(certificatePem) < anewBeforeMs) return 'asked';
  return nowMs >= renewAtMs(certificatePem) ? 'due' : null;
}

/** Whether it may be shown, or trusted, at this time. */
export function isValidAt(pem: string, nowMs: number): boolean {
  const { notBeforeMs, notAfterMs } = describe(pem);
  return notBeforeMs <= nowMs && nowMs < notAfterMs;
}

/** What cannot be read was issued by nobody. */
export function isIssuedBy(certificatePem: string, authorityPem: string): boolean {
  const [certificate, authority] = [read(certificatePem), read(authorityPem)];
  if (certificate === null || authority === null) return false;
  return certificate.checkIssued(authority) && certificate.verify(authority.publicKey);
}

function read(pem: string): X509Certificate | null {
  try {
    return new X509Certificate(pem);
  } catch {
    return null;
  }
}

/** Null for what cannot be read, by either of the two who read it here. */
function factsIn(pem: string): CertificateFacts | null {
  if (read(pem) === null) return null;
  try {
    return describe(pem);
  } catch {
    return null;
  }
}

/** The order of names means nothing, nor does the spelling of addresses. */
function identityText({ commonName, dnsNames, addresses, usages }: LeafIdentity): string {
  return JSON.stringify([
    commonName,
    ...[dnsNames, addresses.map(canonicalAddress), usages].map((list) => [...new Set(list)].sort()),
  ]);
}
