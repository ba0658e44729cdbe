/** A certificate and its private key, both as PEM. */
export interface CertifiedKey {
  readonly certificatePem: string;
  readonly keyPem: string;
}

/** An authority is a certificate that may sign others. */
export type Authority = CertifiedKey;

/** What a leaf certificate is for. */
export interface LeafRequest {
  readonly commonName: string;
  readonly dnsNames: readonly string[];
  readonly addresses: readonly string[];
  readonly usages: readonly ('server' | 'client')[];
  readonly notBeforeMs: number;
  readonly validForMs: number;
}
