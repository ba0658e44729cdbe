/** Amounts as people read them. */
const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

export function bytes(amount: number): string {
  const step = amount < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(amount) / 3));
  const scaled = amount / 1_000 ** step;
  return `${scaled >= 100 || step === 0 ? Math.round(scaled) : scaled.toPrecision(3)} ${UNITS[step] ?? ''}`;
}

export function duration(ms: number): string {
  const seconds = Math.ceil(ms / 1_000);
  if (seconds < 90) return `${seconds} s`;
  return seconds < 5_400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3_600).toFixed(1)} h`;
}
