/** What was measured, as one page that needs nothing else: tables, and bars in SVG. */
import { cellName, sizeName, type Results, type Summary } from './results.js';
import { digits, HEAD, idleRows, memoryRows, MEMORY_HEAD, ordered, rowOf } from './table.js';
import type { Spread } from './statistics.js';

const COLORS = ['#2a6fb0', '#d9822b', '#3d9a5b', '#a84a9c', '#8a6d3b', '#c23b3b', '#4aa3a3', '#777777'];
const WIDTH = 940;
const LEFT = 215;
const RIGHT = 215;
const BAR = 15;
const GAP = 9;

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
export const escapeHtml = (text: string): string =>
  text.replace(/[&<>"]/g, (found) => ESCAPES[found] ?? found);

const colorOf = (index: number): string => COLORS[index % COLORS.length] ?? '#000';

/** A bar; with several parts they are stacked. */
interface Bar {
  readonly group: string;
  readonly name: string;
  readonly parts: readonly { readonly value: number; readonly color: string; readonly title: string }[];
  readonly label: string;
  /** From the least to the most of all rounds. */
  readonly whisker?: Spread;
}

interface Legend {
  readonly name: string;
  readonly color: string;
}

/** Horizontal bars in groups, each group with a scale of its own: rates of 1 and of 256 clients differ by a hundred. */
function bars(title: string, all: readonly Bar[], legend: readonly Legend[]): string {
  const groups = [...new Set(all.map(({ group }) => group))];
  const drawn: string[] = [];
  let top = 34;
  for (const group of groups) {
    const own = all.filter((bar) => bar.group === group);
    const lengthOf = ({ parts, whisker }: Bar): number =>
      Math.max(
        whisker?.max ?? 0,
        parts.reduce((sum, { value }) => sum + value, 0),
      );
    const most = Math.max(Number.MIN_VALUE, ...own.map(lengthOf).filter(Number.isFinite));
    const x = (value: number): number => LEFT + (value / most) * (WIDTH - LEFT - RIGHT);
    const middle = top + (own.length * BAR) / 2 + 4;
    drawn.push(`<text x="${LEFT - 8}" y="${middle}" text-anchor="end">${escapeHtml(group)}</text>`);
    for (const bar of own) {
      drawn.push(drawBar(bar, top, x));
      top += BAR;
    }
    top += GAP;
  }
  const keys = legend.map(({ name, color }, i) => {
    const at = LEFT + i * 118;
    return `<rect x="${at}" y="8" width="10" height="10" fill="${color}"/><text x="${at + 14}" y="17">${escapeHtml(name)}</text>`;
  });
  return [
    `<figure><figcaption>${escapeHtml(title)}</figcaption>`,
    `<svg viewBox="0 0 ${WIDTH} ${top + 4}" role="img" aria-label="${escapeHtml(title)}">`,
    ...keys,
    ...drawn,
    '</svg></figure>',
  ].join('\n');
}

function drawBar({ name, parts, label, whisker }: Bar, top: number, x: (value: number) => number): string {
  const pieces: string[] = [];
  let from = 0;
  for (const { value, color, title } of parts) {
    if (!(value > 0)) continue;
    const width = (x(from + value) - x(from)).toFixed(1);
    pieces.push(
      `<rect x="${x(from).toFixed(1)}" y="${top}" width="${width}" height="${BAR - 3}" fill="${color}"><title>${escapeHtml(`${name}: ${title}`)}</title></rect>`,
    );
    from += value;
  }
  let end = from;
  if (whisker !== undefined && Number.isFinite(whisker.max)) {
    end = Math.max(end, whisker.max);
    const y = top + (BAR - 3) / 2;
    pieces.push(
      `<path d="M${x(whisker.min).toFixed(1)} ${y}H${x(whisker.max).toFixed(1)}" class="whisker"/>`,
    );
  }
  pieces.push(
    `<text x="${(x(end) + 5).toFixed(1)}" y="${top + BAR - 4}" class="small">${escapeHtml(label)}</text>`,
  );
  return pieces.join('');
}

function targetColors(results: Results): Map<string, string> {
  return new Map(results.targets.map(({ name }, i) => [name, colorOf(i)]));
}

/** With the spread of all rounds. */
function rates(results: Results, rows: readonly Summary[]): string {
  const colors = targetColors(results);
  const all = rows.map(({ series, rate }): Bar => {
    const label = digits(rate.median);
    const title = `${label}, ${digits(rate.min)} to ${digits(rate.max)}`;
    const parts = [{ value: rate.median, color: colors.get(series.target) ?? '#000', title }];
    return { group: cellName(series), name: series.target, parts, label, whisker: rate };
  });
  return bars('Operations a second, closed loop', all, legendOf(colors));
}

const legendOf = (colors: ReadonlyMap<string, string>): Legend[] =>
  [...colors].map(([name, color]) => ({ name, color }));

/** The three percentiles side by side, from light to dark: a stack whose ends are p50, p99 and p999. */
function latencies(rows: readonly Summary[]): string {
  const shades = ['#9ecae1', '#4292c6', '#08519c'];
  const names = ['p50', 'p99', 'p999'];
  const all = rows.map((summary): Bar => {
    const { series, p50, p99, p999 } = summary;
    const ends = [p50.median, p99.median, p999.median];
    const parts = ends.map((end, i) => ({
      value: end - (ends[i - 1] ?? 0),
      color: shades[i] ?? '#000',
      title: `${names[i]} ${digits(end)} ms`,
    }));
    const label = `${series.target} ${ends.map(digits).join(' / ')} ms`;
    return { group: cellName(series), name: series.target, parts, label };
  });
  return bars(
    'Latency, ms: p50, p99 and p999',
    all,
    names.map((name, i) => ({ name, color: shades[i] ?? '#000' })),
  );
}

function cpuByKind(rows: readonly Summary[]): string {
  const kinds = [...new Set(rows.flatMap((row) => Object.keys(row.cpuByKind)))];
  const colors = new Map(kinds.map((kind, i) => [kind, colorOf(i)]));
  const all = rows.map((summary): Bar => {
    const parts = Object.entries(summary.cpuByKind).map(([kind, value]) => ({
      value,
      color: colors.get(kind) ?? '#000',
      title: `${kind} ${digits(value)} us`,
    }));
    const { series, cpu } = summary;
    return {
      group: cellName(series),
      name: series.target,
      parts,
      label: `${series.target} ${digits(cpu.median)} us`,
    };
  });
  return bars(
    'CPU time of all server processes for each operation, us, by kind of process',
    all,
    legendOf(colors),
  );
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[], tag: string): string =>
    `<tr>${cells.map((cell) => `<${tag}>${escapeHtml(cell)}</${tag}>`).join('')}</tr>`;
  return `<div class="wide"><table>${line(head, 'th')}\n${rows.map((row) => line(row, 'td')).join('\n')}</table></div>`;
}

const list = (items: readonly string[]): string =>
  `<ul>${items.map((item) => `<li>${escapeHtml(item)}</li>`).join('')}</ul>`;

const STYLE = `
body { font: 14px/1.45 system-ui, sans-serif; max-width: 1100px; margin: 2em auto; padding: 0 1em; color: #222; background: #fff }
figure { margin: 1.5em 0 } figcaption { font-weight: 600 } svg { width: 100%; height: auto; font: 11px system-ui, sans-serif }
.small { font-size: 10px; fill: #444 } .whisker { stroke: #222; stroke-width: 1.2; fill: none }
.wide { overflow-x: auto } table { border-collapse: collapse; font-size: 12px } th, td { border: 1px solid #ddd; padding: 3px 7px; text-align: left; white-space: nowrap }
th { background: #f3f3f3 }`;

export function pageOf(results: Results): string {
  const rows = ordered(results);
  const closed = rows.filter(({ series }) => series.perSecond === null);
  const open = rows.filter(({ series }) => series.perSecond !== null);
  const { targets, versions, machine, notes, settings, memory, reference } = results;
  const about = [
    `Commit ${results.commit}, ${results.startedAt} to ${results.endedAt}.`,
    ...Object.entries(machine).map(([name, value]) => `${name}: ${value}`),
    `Versions: ${Object.entries(versions)
      .map(([name, value]) => `${name} ${value}`)
      .join(', ')}.`,
    `The load: ${results.load}.`,
    ...targets.map(({ name, version, description }) => `${name} ${version}: ${description}.`),
    `${settings.rounds} rounds of ${settings.seconds} s, the targets in turn, the order turned round each time; medians, with the least and the most of all rounds.`,
  ];
  const parts = [
    `<h1>Ringleader beside its peers</h1>${list(about)}`,
    rates(results, closed),
    cpuByKind(closed),
    latencies(closed),
  ];
  if (open.length > 0) {
    parts.push('<h2>Open loop: requests by the clock, latencies from when they were due</h2>');
    parts.push(latencies(open), cpuByKind(open));
  }
  parts.push(`<h2>All of it</h2>${table(HEAD(reference), rows.map(rowOf))}`);
  parts.push(`<h2>Without requests</h2>${table(['target', 'CPU ms a second'], idleRows(results))}`);
  if (memory.length > 0)
    parts.push(
      `<h2>Memory</h2><p>With keys of ${sizeName(memory[0]?.valueBytes ?? 0)}; shared pages counted once.</p>${table(MEMORY_HEAD, memoryRows(results))}`,
    );
  if (notes.length > 0) parts.push(`<h2>What to know</h2>${list(notes)}`);
  return `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Ringleader: benchmark of ${escapeHtml(results.startedAt.slice(0, 10))}</title><style>${STYLE}</style></head><body>\n${parts.join('\n')}\n</body></html>\n`;
}
