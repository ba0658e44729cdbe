/** What was measured in the last minutes, as lines and as a table. */
import { element, setAttribute, setRows, setText, svg } from './dom.js';
import { UNKNOWN, measure } from './words.js';

const SPAN_MS = 600_000;
const MINUTE_MS = 60_000;
/** Two points further apart have nothing known between them. */
const GAP_MS = 15_000;
const WIDTH = 600;
const HEIGHT = 150;
const TOP = 18;
const BOTTOM = 132;

/** `{ at, perSecond, p50, p99 }`, by time. */
let points = [];

/** `apartMs`: none so near to one that is known already. */
export function addPoints(added, apartMs = 0) {
  const isNews = ({ at }) => points.every((point) => Math.abs(point.at - at) > apartMs);
  points = [...points, ...added.filter(isNews)].sort((a, b) => a.at - b.at);
  const oldest = (points.at(-1)?.at ?? 0) - SPAN_MS;
  points = points.filter(({ at }) => at >= oldest);
}

export function drawCharts() {
  const last = points.at(-1);
  if (last === undefined) return;
  draw(element('rate'), 'Requests per second', [{ name: 'now', read: ({ perSecond }) => perSecond }]);
  draw(element('latency'), 'Latency in milliseconds', [
    { name: 'median', read: ({ p50 }) => p50 },
    { name: '99th percentile', read: ({ p99 }) => p99, className: 'dashed' },
  ]);
  setText(element('rate-now'), measure(last.perSecond));
  setText(element('p50-now'), measure(last.p50));
  setText(element('p99-now'), measure(last.p99));
  setRows(element('minutes'), minutes());
}

function draw(node, what, lines) {
  const end = points.at(-1).at;
  const values = lines.flatMap(({ read }) => points.map(read)).filter((value) => value !== null);
  const top = niceAbove(Math.max(0, ...values));
  const x = (at) => WIDTH - ((end - at) / SPAN_MS) * WIDTH;
  const y = (value) => BOTTOM - (value / top) * (BOTTOM - TOP);
  const paths = lines.map(({ read, className = '' }) =>
    svg('path', { d: path(read, x, y), class: className }),
  );
  node.replaceChildren(
    svg('line', { x1: 0, x2: WIDTH, y1: BOTTOM, y2: BOTTOM }),
    svg('line', { x1: 0, x2: WIDTH, y1: TOP, y2: TOP }),
    svg('text', { x: 4, y: TOP - 5 }, measure(top)),
    svg('text', { x: 4, y: HEIGHT - 4 }, '10 min ago'),
    svg('text', { x: WIDTH - 4, y: HEIGHT - 4, 'text-anchor': 'end' }, 'now'),
    ...paths,
  );
  const now = lines.map(({ name, read }) => `${name} ${measure(read(points.at(-1)))}`).join(', ');
  setAttribute(
    node,
    'aria-label',
    `${what} in the last ten minutes: ${now}, at most ${measure(Math.max(0, ...values))}`,
  );
}

function path(read, x, y) {
  let before = null;
  const parts = points.flatMap((point) => {
    const value = read(point);
    const isJoined = before !== null && point.at - before <= GAP_MS;
    before = value === null ? null : point.at;
    return value === null ? [] : [`${isJoined ? 'L' : 'M'}${x(point.at).toFixed(1)} ${y(value).toFixed(1)}`];
  });
  return parts.join('');
}

/** 1, 2 or 5 times a power of ten, not below the value. */
function niceAbove(value) {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value);
}

function minutes() {
  const byMinute = Map.groupBy(points, ({ at }) => Math.floor(at / MINUTE_MS));
  return [...byMinute]
    .sort(([a], [b]) => b - a)
    .map(([minute, ofMinute]) => ({
      key: String(minute),
      cells: [
        new Date(minute * MINUTE_MS).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' }),
        number(mean(ofMinute.map(({ perSecond }) => perSecond))),
        number(median(ofMinute.map(({ p50 }) => p50))),
        number(highest(ofMinute.map(({ p99 }) => p99))),
      ],
    }));
}

const number = (value) => ({ text: value === null ? UNKNOWN : measure(value), className: 'number' });
const known = (values) => values.filter((value) => value !== null);
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const highest = (values) => (known(values).length === 0 ? null : Math.max(...known(values)));
function median(values) {
  const sorted = known(values).sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? null;
}
