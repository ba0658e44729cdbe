import { isIP } from 'node:net';

/**
 * One spelling for each address. A certificate holds its bytes, and whoever reads it spells them in a way of their own: an address of
 * IPv6 that somebody has written otherwise would never be found in it, and the certificate be issued anew at each look.
 */
export function canonicalAddress(address: string): string {
  return isIP(address) === 6 ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;
}
