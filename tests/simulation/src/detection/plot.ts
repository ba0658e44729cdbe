/** Lines over the thresholds, as SVG without anything else: panels side by side, each with its legend below. */
export interface Line {
  readonly name: string;
  /** One for each threshold; null: there is none. */
  readonly values: readonly (number | null)[];
}

export interface Panel {
  readonly title: string;
  /** 0 has a place of its own, at the bottom. */
  readonly isLogarithmic: boolean;
  readonly lines: readonly Line[];
}

export const THRESHOLDS = [1, 2, 4, 8, 12] as const;
const WIDTH = 420;
const HEIGHT = 260;
const MARGIN = { left: 56, top: 34, right: 16, bottom: 40 };
const LEGEND_LINE = 18;
/** Told apart without colour, too, by their dashes. */
const STYLES = [
  { colour: '#0b5cad', dash: '' },
  { colour: '#b3261e', dash: '7 3' },
  { colour: '#1b7f3b', dash: '2 3' },
  { colour: '#8a4fb5', dash: '10 3 2 3' },
  { colour: '#a35a00', dash: '4 4' },
  { colour: '#444444', dash: '12 4' },
];

const xOf = (i: number): number =>
  MARGIN.left + (i * (WIDTH - MARGIN.left - MARGIN.right)) / (THRESHOLDS.length - 1);

function yOf(value: number, max: number, isLogarithmic: boolean): number {
  const height = HEIGHT - MARGIN.top - MARGIN.bottom;
  const share = isLogarithmic ? Math.log10(1 + value) / Math.log10(1 + max) : value / max;
  return HEIGHT - MARGIN.bottom - share * height;
}

const round = (value: number): string => value.toFixed(1);

function ticksOf(max: number, isLogarithmic: boolean): number[] {
  if (!isLogarithmic) return [0, 0.25, 0.5, 0.75, 1].map((share) => Math.round(share * max));
  const decades = Math.ceil(Math.log10(Math.max(max, 10)));
  return [0, ...Array.from({ length: decades + 1 }, (_, i) => 10 ** i)].filter((tick) => tick <= max);
}

function axes({ title, isLogarithmic }: Panel, max: number): string {
  const ticks = ticksOf(max, isLogarithmic).map((tick) => {
    const y = round(yOf(tick, max, isLogarithmic));
    return `<line x1="${String(MARGIN.left)}" x2="${String(WIDTH - MARGIN.right)}" y1="${y}" y2="${y}" stroke="#ddd"/>
<text x="${String(MARGIN.left - 6)}" y="${y}" dy="4" text-anchor="end">${String(tick)}</text>`;
  });
  const thresholds = THRESHOLDS.map(
    (threshold, i) =>
      `<text x="${round(xOf(i))}" y="${String(HEIGHT - MARGIN.bottom + 16)}" text-anchor="middle">${String(threshold)}</text>`,
  );
  const middle = round((WIDTH + MARGIN.left) / 2);
  return [
    `<text x="${String(MARGIN.left)}" y="18" font-weight="bold">${title}</text>`,
    ...ticks,
    ...thresholds,
    `<text x="${middle}" y="${String(HEIGHT - 6)}" text-anchor="middle">threshold of phi</text>`,
  ].join('\n');
}

function drawn({ name, values }: Line, i: number, of: (value: number) => number): string {
  const { colour, dash } = STYLES[i % STYLES.length] ?? { colour: '#000', dash: '' };
  const points = values.flatMap((value, at) =>
    value === null ? [] : [`${round(xOf(at))},${round(of(value))}`],
  );
  const y = HEIGHT + 8 + i * LEGEND_LINE;
  const stroke = `stroke="${colour}" stroke-width="2" stroke-dasharray="${dash}" fill="none"`;
  return `<polyline points="${points.join(' ')}" ${stroke}/>
<line x1="${String(MARGIN.left)}" x2="${String(MARGIN.left + 36)}" y1="${String(y)}" y2="${String(y)}" ${stroke}/>
<text x="${String(MARGIN.left + 44)}" y="${String(y)}" dy="4">${name}</text>`;
}

function drawnPanel(panel: Panel, left: number): string {
  const max = Math.max(1, ...panel.lines.flatMap(({ values }) => values.map((value) => value ?? 0)));
  const of = (value: number): number => yOf(value, max, panel.isLogarithmic);
  const lines = panel.lines.map((line, i) => drawn(line, i, of));
  return `<g transform="translate(${String(left)} 0)">\n${axes(panel, max)}\n${lines.join('\n')}\n</g>`;
}

export function plot(panels: readonly Panel[]): string {
  const legend = Math.max(...panels.map(({ lines }) => lines.length)) * LEGEND_LINE;
  const [width, height] = [WIDTH * panels.length, HEIGHT + legend + 16];
  const title = panels.map((panel) => panel.title).join('; ');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${String(width)} ${String(height)}" font-family="sans-serif" font-size="12" role="img">
<title>${title}</title>
<rect width="100%" height="100%" fill="#fff"/>
${panels.map((panel, i) => drawnPanel(panel, i * WIDTH)).join('\n')}
</svg>
`;
}
