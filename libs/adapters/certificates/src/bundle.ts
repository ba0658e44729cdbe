/**
 * Whom to trust, as one text. While an authority is replaced there are two in it: first everybody is given both, then the
 * new one issues all leaves anew, and only then the old one leaves. At no time does a member meet a certificate of an
 * authority that it does not know.
 */
import { describe } from './describe.js';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Each certificate of a text by itself. */
export function certificatesIn(pem: string): string[] {
  return (pem.match(CERTIFICATE) ?? []).map((one) => `${one}\n`);
}

/** Each once, in the order given; those whose time is over are left out. */
export function bundle(pems: readonly string[], nowMs: number): string {
  const byFingerprint = new Map<string, string>();
  for (const pem of pems.flatMap(certificatesIn)) {
    const { fingerprint, notAfterMs } = describe(pem);
    if (notAfterMs > nowMs && !byFingerprint.has(fingerprint)) byFingerprint.set(fingerprint, pem);
  }
  return [...byFingerprint.values()].join('');
}
