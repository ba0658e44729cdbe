/** A certificate and its private key, both as PEM. */
export interface CertifiedKey {
  readonly certificatePem: string;
  readonly keyPem: string;
}

/** An authority is a certificate that may sign others. */
export type Authority = CertifiedKey;

export interface AuthorityRequest {
  readonly commonName: string;
  readonly notBeforeMs: number;
  readonly validForMs: number;
}

/** For whom a leaf certificate is, and what for. */
export interface LeafIdentity {
  readonly commonName: string;
  /** A pattern such as *.demo-nats.default.svc, too. */
  readonly dnsNames: readonly string[];
  readonly addresses: readonly string[];
  readonly usages: readonly CertificateUsage[];
}

export type CertificateUsage = 'server' | 'client';

export interface LeafRequest extends LeafIdentity {
  readonly notBeforeMs: number;
  /** It ends with its authority's, if that ends before. */
  readonly validForMs: number;
}

/** What a certificate says of itself. */
export interface CertificateFacts extends LeafIdentity {
  readonly issuerName: string;
  readonly isAuthority: boolean;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly serialNumber: string;
  /** SHA-256 of the whole, in hexadecimal digits. */
  readonly fingerprint: string;
}
