export { createAuthority, issue } from './authority.js';
export { bundle, certificatesIn } from './bundle.js';
export { describe } from './describe.js';
export { isIssuedBy, issuedAtMs, isValidAt, renewAtMs, whyReissue } from './renewal.js';
export type { ReissueReason } from './renewal.js';
export type {
  Authority,
  AuthorityRequest,
  CertificateFacts,
  CertificateUsage,
  CertifiedKey,
  LeafIdentity,
  LeafRequest,
} from './types.js';
