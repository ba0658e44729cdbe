/**
 * The ring: partitions clockwise from the top, as they lie on the circle of hashes. Outside who leads each of them, inside who
 * holds its replicas, and a mark beside those that are moved. Neighbours that are alike are one arc.
 */
import { setAttribute, setText, svg } from './dom.js';
import { many } from './words.js';

const PALETTE = 12;
/** More would not be seen. */
const ARCS_MAX = 1_024;
const RADIUS = { moving: 113, leader: 96, replica: 80 };
const REPLICA_STEP = 8;
const FULL = 2 * Math.PI;

/** The colours of shards, by their names: in order of their first appearance, and for ever. */
const colours = new Map();
export function colourOf(shard) {
  const known = colours.get(shard);
  if (known !== undefined) return known;
  const colour = `shard-${colours.size % PALETTE}`;
  colours.set(shard, colour);
  return colour;
}

export const isMoving = ({ nextReplicas, learners }) => nextReplicas !== null || learners.length > 0;

let drawn = '';

export function drawRing(node, partitions) {
  const seen = sampled(partitions);
  const circles = circlesOf(seen);
  const signature = JSON.stringify(circles);
  setAttribute(node, 'aria-label', describe(partitions));
  if (signature === drawn) return;
  drawn = signature;
  const arcs = circles.flatMap(({ radius, className, values }) =>
    runsOf(values).map(({ value, from, to }) =>
      svg('path', { d: arc(radius, from / seen.length, to / seen.length), class: `${className} ${value}` }),
    ),
  );
  const label = svg('text', { y: -2 }, many(partitions.length, 'partition'));
  const note = svg('text', { y: 14, class: 'small' }, summary(partitions));
  node.replaceChildren(...arcs, label, note);
}

/** Of very many each so-and-so-manieth. */
function sampled(partitions) {
  const step = Math.ceil(partitions.length / ARCS_MAX);
  return partitions.filter((_, i) => i % step === 0);
}

/** Null: there is nothing to be seen. */
function circlesOf(partitions) {
  const replicas = Math.max(0, ...partitions.map((partition) => partition.replicas.length));
  const inner = Array.from({ length: replicas }, (_, i) => ({
    radius: RADIUS.replica - i * REPLICA_STEP,
    className: 'replica',
    values: partitions.map((partition) => classOf(partition.replicas[i])),
  }));
  return [
    {
      radius: RADIUS.moving,
      className: '',
      values: partitions.map((one) => (isMoving(one) ? 'moving' : null)),
    },
    {
      radius: RADIUS.leader,
      className: 'leader',
      values: partitions.map(({ leader }) => classOf(leader) ?? 'nobody'),
    },
    ...inner,
  ];
}

const classOf = (shard) => (shard === null || shard === undefined ? null : colourOf(shard));

function runsOf(values) {
  const runs = [];
  values.forEach((value, i) => {
    const last = runs.at(-1);
    if (last?.value === value) last.to = i + 1;
    else runs.push({ value, from: i, to: i + 1 });
  });
  return runs.filter(({ value }) => value !== null);
}

/** Between two parts of the circle, 0 to 1, clockwise from the top. */
function arc(radius, from, to) {
  // A whole circle would begin where it ends, and be nothing.
  const end = Math.min(to, from + 0.9999);
  const point = (part) => {
    const angle = part * FULL - FULL / 4;
    return `${(radius * Math.cos(angle)).toFixed(2)} ${(radius * Math.sin(angle)).toFixed(2)}`;
  };
  return `M${point(from)}A${radius} ${radius} 0 ${end - from > 0.5 ? 1 : 0} 1 ${point(end)}`;
}

function summary(partitions) {
  const leaderless = partitions.filter(({ leader }) => leader === null).length;
  const moving = partitions.filter(isMoving).length;
  if (leaderless > 0) return `${leaderless} without a leader`;
  return moving > 0 ? `${moving} moving` : 'all with a leader';
}

function describe(partitions) {
  const shares = new Map();
  for (const { leader } of partitions) if (leader !== null) shares.set(leader, (shares.get(leader) ?? 0) + 1);
  const led = [...shares].sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }));
  const list = led.map(([shard, leads]) => `${shard} leads ${leads}`).join(', ');
  return `Ring of ${many(partitions.length, 'partition')}, ${summary(partitions)}${list === '' ? '' : `: ${list}`}`;
}

export function clearRing(node, text) {
  drawn = '';
  node.replaceChildren();
  setAttribute(node, 'aria-label', text);
  setText(node, '');
}
