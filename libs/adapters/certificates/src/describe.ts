import 'reflect-metadata';
import { createHash } from 'node:crypto';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  SubjectAlternativeNameExtension,
  X509Certificate,
} from '@peculiar/x509';
import type { CertificateFacts, CertificateUsage } from './types.js';

const USAGES: readonly [CertificateUsage, string][] = [
  ['server', ExtendedKeyUsage.serverAuth],
  ['client', ExtendedKeyUsage.clientAuth],
];

/** For those whose clocks are behind: a certificate is valid that much before the time that was asked for. */
export const CLOCK_ALLOWANCE_MS = 5 * 60_000;

/** Of the first certificate in the text. Throws where there is none. */
export function describe(pem: string): CertificateFacts {
  const certificate = new X509Certificate(pem);
  const names = certificate.getExtension(SubjectAlternativeNameExtension)?.names.items ?? [];
  const usages = certificate.getExtension(ExtendedKeyUsageExtension)?.usages ?? [];
  const valuesOf = (wanted: 'dns' | 'ip'): string[] =>
    names.filter(({ type }) => type === wanted).map(({ value }) => value);
  return {
    commonName: certificate.subjectName.getField('CN').join(),
    issuerName: certificate.issuerName.getField('CN').join(),
    isAuthority: certificate.getExtension(BasicConstraintsExtension)?.ca === true,
    dnsNames: valuesOf('dns'),
    addresses: valuesOf('ip'),
    usages: USAGES.filter(([, oid]) => usages.includes(oid)).map(([usage]) => usage),
    notBeforeMs: certificate.notBefore.getTime(),
    notAfterMs: certificate.notAfter.getTime(),
    serialNumber: certificate.serialNumber,
    fingerprint: createHash('sha256').update(Buffer.from(certificate.rawData)).digest('hex'),
  };
}
