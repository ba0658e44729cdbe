/**
 * What detection costs and how often it is wrong, by threshold, loss and starvation: the tables and the plot of
 * docs/FAILURE-DETECTION.md, each from its seed. `node tests/simulation/dist/detection/figures.js` writes both anew.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { THRESHOLDS, plot, type Line } from './plot.js';
import { calm, type Profile } from './profile.js';
import { runDetection } from './suite.js';

const DOCUMENT = new URL('../../../../docs/FAILURE-DETECTION.md', import.meta.url);
const PLOT = new URL('../../../../docs/failure-detection.svg', import.meta.url);
const SEED = 1;
const LOSSES = [0, 0.05, 0.1, 0.2] as const;
/** Of the time. */
const STARVED = [0, 0.1, 0.5] as const;
/** With four members this is a day of one. */
const HOURS = 6;
const EPISODE_MS = 60_000;
const MS_PER_HOUR = 3_600_000;

interface Figures {
  readonly falsePerDay: number;
  /** Medians, in milliseconds; null where a kill was not noticed before the member came back. */
  readonly suspectMs: number | null;
  readonly downMs: number | null;
}

function median(times: readonly number[]): number | null {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? null;
}

function figuresOf(phiThreshold: number, change: Partial<Profile>): Figures {
  const settings = { ...calm.settings, ...change.settings, phiThreshold };
  const profile: Profile = { ...calm, name: 'figures', ...change, settings };
  const never = { perHour: 0, minMs: 0, maxMs: 0 };
  const quiet = runDetection({ ...profile, hours: HOURS, kills: never }, SEED, false);
  const { suspectMs, downMs } = runDetection({ ...profile, hours: 1 }, SEED, false);
  return { falsePerDay: quiet.falseVerdicts, suspectMs: median(suspectMs), downMs: median(downMs) };
}

const starvation = (share: number): Partial<Profile> => {
  const perHour = share === 0 ? 0 : (share / (1 - share)) * (MS_PER_HOUR / EPISODE_MS);
  return { starvation: { perHour, minMs: EPISODE_MS, maxMs: EPISODE_MS } };
};
const trusting = { ...calm.settings, tickToleranceMs: Number.POSITIVE_INFINITY, distrustMax: 0 };
const percent = (share: number): string => `${String(Math.round(share * 100))} %`;
const ms = (time: number | null): string => (time === null ? '-' : time.toFixed(0));

/** As prettier aligns it. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((cell, i) => Math.max(3, cell.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}

type Swept = ReadonlyMap<string, readonly Figures[]>;

function sweep(kinds: Readonly<Record<string, Partial<Profile>>>): Swept {
  return new Map(
    Object.entries(kinds).map(([name, change]) => [
      name,
      THRESHOLDS.map((threshold) => figuresOf(threshold, change)),
    ]),
  );
}

function tableOf(swept: Swept, cellsOf: (name: string, figures: Figures) => string): string {
  const names = [...swept.keys()];
  const rows = THRESHOLDS.map((threshold, i) => [
    String(threshold),
    ...names.map((name) => {
      const figures = swept.get(name)?.[i];
      return figures === undefined ? '-' : cellsOf(name, figures);
    }),
  ]);
  return table(['phi', ...names], rows);
}

const lost = Object.fromEntries(
  LOSSES.flatMap((loss) => [
    [`${percent(loss)} lost, silence alone`, { loss, answersPings: false }],
    [`${percent(loss)} lost, probes`, { loss }],
  ]),
);
const starved = Object.fromEntries(
  STARVED.flatMap((share) => [
    [`${percent(share)} starved, trusting itself`, { ...starvation(share), settings: trusting }],
    [`${percent(share)} starved, local health`, starvation(share)],
  ]),
);

const byLoss = sweep(lost);
const byStarvation = sweep(starved);
const cell = (_name: string, { falsePerDay, suspectMs, downMs }: Figures): string =>
  `${String(falsePerDay)}; ${ms(suspectMs)}, ${ms(downMs)}`;

function lines(swept: Swept, names: readonly string[], of: (figures: Figures) => number | null): Line[] {
  return names.map((name) => ({ name, values: (swept.get(name) ?? []).map(of) }));
}

const text = readFileSync(DOCUMENT, 'utf8');
const generated = [
  'By the share of messages that are lost: false verdicts per member and day; milliseconds from a death to `suspect` and to `down` (medians).',
  tableOf(byLoss, cell),
  'By the share of the time in which the detectors hardly get the processor, in the same way.',
  tableOf(byStarvation, cell),
].join('\n\n');
writeFileSync(
  DOCUMENT,
  text.replace(/(<!-- figures -->\n\n)[^]*(\n\n<!-- end of figures -->)/, `$1${generated}$2`),
);
writeFileSync(
  PLOT,
  plot([
    {
      title: 'False verdicts per member and day',
      isLogarithmic: true,
      lines: [
        ...lines(
          byLoss,
          ['5 % lost, silence alone', '20 % lost, silence alone', '5 % lost, probes', '20 % lost, probes'],
          ({ falsePerDay }) => falsePerDay,
        ),
        ...lines(
          byStarvation,
          ['50 % starved, trusting itself', '50 % starved, local health'],
          ({ falsePerDay }) => falsePerDay,
        ),
      ],
    },
    {
      title: 'Milliseconds from a death to suspect (median)',
      isLogarithmic: false,
      lines: [
        ...lines(
          byLoss,
          ['0 % lost, silence alone', '0 % lost, probes', '20 % lost, probes'],
          ({ suspectMs }) => suspectMs,
        ),
        ...lines(byStarvation, ['50 % starved, local health'], ({ suspectMs }) => suspectMs),
      ],
    },
  ]),
);
