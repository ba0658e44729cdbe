/** Numbers and states as people read them. */

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });

export const UNKNOWN = '–';
const MIB = 2 ** 20;

export const count = (number) => (number === null || number === undefined ? UNKNOWN : whole.format(number));
export const measure = (number) => (number === null || number === undefined ? UNKNOWN : short.format(number));
const hundredths = new Intl.NumberFormat('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const tenths = new Intl.NumberFormat('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 });
export const cores = (number) => (number === undefined ? UNKNOWN : hundredths.format(number));
export const milliseconds = (number) => (number === undefined ? UNKNOWN : tenths.format(number));
export const mebibytes = (bytes) => (bytes === undefined ? UNKNOWN : whole.format(bytes / MIB));

export function bytes(number) {
  if (number < 1_000) return `${number} B`;
  const units = ['kB', 'MB', 'GB', 'TB'];
  const step = Math.min(units.length - 1, Math.floor(Math.log10(number) / 3) - 1);
  return `${short.format(number / 1_000 ** (step + 1))} ${units[step]}`;
}

export function duration(ms) {
  if (ms === null) return UNKNOWN;
  const seconds = Math.ceil(ms / 1_000);
  if (seconds < 90) return `${seconds} s`;
  return seconds < 5_400 ? `${Math.round(seconds / 60)} min` : `${short.format(seconds / 3_600)} h`;
}

const VERDICTS = {
  alive: { text: '● alive', className: 'good' },
  suspect: { text: '▲ suspect', className: 'doubt' },
  down: { text: '■ down', className: 'bad' },
};
export const verdict = (word) => VERDICTS[word] ?? { text: '○ unknown', className: 'quiet' };

const HEALTH = {
  healthy: { text: '● Healthy', className: 'health good' },
  degraded: { text: '▲ Degraded', className: 'health doubt' },
  unavailable: { text: '■ Unavailable', className: 'health bad' },
};
export const health = (word) => HEALTH[word] ?? { text: word, className: 'health' };

/** Of many: "1 partition", "2 partitions". */
export const many = (number, what) => `${count(number)} ${what}${number === 1 ? '' : 's'}`;
