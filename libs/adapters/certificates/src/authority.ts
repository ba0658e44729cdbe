/**
 * An authority of a cluster's own, and the certificates that it issues: X.509 (RFC 5280) with keys on P-256, which every
 * TLS library knows and whose handshakes are cheap. Nothing is read or written here: who calls keeps the keys.
 */
// The library finds its parts by metadata.
import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { canonicalAddress } from './addresses.js';
import { CLOCK_ALLOWANCE_MS } from './describe.js';
import type { Authority, AuthorityRequest, CertifiedKey, LeafRequest } from './types.js';

const KEY = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' } as const;
const KEY_TAG = 'PRIVATE KEY';
const SERIAL_BYTES = 16;

const USAGES = { server: ExtendedKeyUsage.serverAuth, client: ExtendedKeyUsage.clientAuth } as const;

/** A root that signs leaves and nothing else. */
export async function createAuthority(request: AuthorityRequest): Promise<Authority> {
  const { commonName, notBeforeMs, validForMs } = request;
  const keys = await newKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerialNumber(),
    name: nameOf(commonName),
    notBefore: new Date(notBeforeMs - CLOCK_ALLOWANCE_MS),
    notAfter: new Date(notBeforeMs + validForMs),
    signingAlgorithm: SIGNATURE,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      // By which leaves name the one of two authorities of the same name that signed them.
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return certifiedKey(certificate, keys.privateKey);
}

export async function issue(authority: Authority, request: LeafRequest): Promise<CertifiedKey> {
  const { commonName, usages, notBeforeMs, validForMs } = request;
  const issuer = new X509Certificate(authority.certificatePem);
  const keys = await newKeys();
  const certificate = await X509CertificateGenerator.create({
    serialNumber: newSerialNumber(),
    subject: nameOf(commonName),
    issuer: issuer.subjectName,
    notBefore: new Date(notBeforeMs - CLOCK_ALLOWANCE_MS),
    notAfter: new Date(Math.min(notBeforeMs + validForMs, issuer.notAfter.getTime())),
    signingAlgorithm: SIGNATURE,
    publicKey: keys.publicKey,
    signingKey: await importKey(authority.keyPem),
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension(usages.map((usage) => USAGES[usage])),
      new SubjectAlternativeNameExtension(alternativeNames(request)),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  });
  return certifiedKey(certificate, keys.privateKey);
}

/** As it is: a plain string would be read as the library's text form of names. */
const nameOf = (commonName: string) => new Name([{ CN: [{ utf8String: commonName }] }]);

function alternativeNames({ dnsNames, addresses }: LeafRequest) {
  const wrong = addresses.find((address) => isIP(address) === 0);
  if (wrong !== undefined) throw new RangeError(`${wrong} is no address`);
  return [
    ...dnsNames.map((value) => ({ type: 'dns' as const, value })),
    // The library reads no dotted end of an address of IPv6.
    ...addresses.map((address) => ({ type: 'ip' as const, value: canonicalAddress(address) })),
  ];
}

/** Positive (RFC 5280, 4.1.2.2), and unlike any other. */
function newSerialNumber(): string {
  const bytes = randomBytes(SERIAL_BYTES);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}

function newKeys() {
  return webcrypto.subtle.generateKey(KEY, true, ['sign', 'verify']);
}

function importKey(pem: string) {
  return webcrypto.subtle.importKey('pkcs8', PemConverter.decodeFirst(pem), KEY, false, ['sign']);
}

async function certifiedKey(
  certificate: X509Certificate,
  privateKey: webcrypto.CryptoKey,
): Promise<CertifiedKey> {
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', privateKey);
  return {
    certificatePem: `${certificate.toString('pem')}\n`,
    keyPem: `${PemConverter.encode(pkcs8, KEY_TAG)}\n`,
  };
}
