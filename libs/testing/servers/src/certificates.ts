import { createAuthority, issue } from '@ringleader/certificates';
import type { Authority, CertificateUsage, LeafIdentity } from '@ringleader/certificates';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const HOUR_MS = 3_600_000;
const THIS_MACHINE = { dnsNames: ['localhost'], addresses: ['127.0.0.1'] };

export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;
}

/** An authority for one test. */
export function testAuthority(commonName = 'test'): Promise<Authority> {
  return createAuthority({ commonName, notBeforeMs: Date.now(), validForMs: 24 * HOUR_MS });
}

/** Writes a certificate for this machine into a folder, replacing what is there. */
export async function writeCertificate(
  dir: string,
  authority: Authority,
  usages: readonly CertificateUsage[] = ['server', 'client'],
  names: Pick<LeafIdentity, 'dnsNames' | 'addresses'> = THIS_MACHINE,
): Promise<CertificateFiles> {
  const { certificatePem, keyPem } = await issue(authority, {
    commonName: 'this machine',
    ...names,
    usages,
    notBeforeMs: Date.now(),
    validForMs: HOUR_MS,
  });
  const files = {
    certFile: join(dir, 'tls.crt'),
    keyFile: join(dir, 'tls.key'),
    caFile: join(dir, 'ca.crt'),
  };
  await mkdir(dir, { recursive: true });
  await Promise.all([
    writeFile(files.certFile, certificatePem),
    writeFile(files.keyFile, keyPem, { mode: 0o600 }),
    writeFile(files.caFile, authority.certificatePem),
  ]);
  return files;
}
