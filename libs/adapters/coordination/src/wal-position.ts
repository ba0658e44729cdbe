const WAL_POSITION = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/;

/** PostgreSQL prints a position in its write-ahead log as two hexadecimal halves of 32 bits: `16/B374D848`. */
export function parseWalPosition(text: string): bigint | null {
  const [, high, low] = WAL_POSITION.exec(text) ?? [];
  if (high === undefined || low === undefined) return null;
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}
