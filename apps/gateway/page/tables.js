/** Members, shards, partitions and moves, row by row. */
import { element, setRows, setText } from './dom.js';
import { colourOf, isMoving } from './ring.js';
import {
  bytes,
  cores,
  count,
  duration,
  many,
  measure,
  mebibytes,
  milliseconds,
  UNKNOWN,
  verdict,
} from './words.js';

const PARTITIONS_SHOWN = 512;
const MOVES_SHOWN = 100;
const number = (text) => ({ text, className: 'number' });

/** Members of several services may share an id. */
const isShard = ({ service }) => service === 'shard';

/** Those that should be there and are not have no process that could tell of itself. */
export function showMembers({ cluster, load, moves }) {
  const loads = new Map((load?.members ?? []).map((one) => [`${one.service}/${one.id}`, one.load]));
  const running = new Set(cluster.members.filter(isShard).map(({ id }) => id));
  const verdicts = new Map((moves?.shards ?? []).map((one) => [one.shard, one.verdict]));
  const missing = cluster.partitionMap.shards
    .filter(({ shard }) => !running.has(shard))
    .map(({ shard }) => ({
      ...{ service: 'shard', id: shard, version: UNKNOWN, state: 'not running' },
      verdict: verdicts.get(shard) ?? 'unknown',
    }));
  const leader = cluster.coordinator.leader;
  const rows = [...cluster.members, ...missing].map((member) => {
    const { service, id, state, version } = member;
    const figures = loads.get(`${service}/${id}`) ?? undefined;
    return {
      key: `${service}/${id}`,
      cells: [
        service === 'coordinator' && id === leader ? `${id} (leader)` : id,
        verdict(member.verdict),
        state,
        number(cores(figures?.cpuCores)),
        number(mebibytes(figures?.memoryBytes)),
        number(count(figures?.requestsPerSecond)),
        number(count(figures?.inFlight)),
        number(milliseconds(figures?.eventLoopLagMs)),
        version,
      ],
    };
  });
  setRows(element('members'), rows.sort(byKey));
}

const byKey = (a, b) => a.key.localeCompare(b.key, 'en', { numeric: true });

/** With what the plan says of them, where the coordinators tell it. */
export function showShards({ cluster, moves }) {
  const placed = new Map((moves?.shards ?? []).map((one) => [one.shard, one]));
  // Known sooner than what the plan makes of it.
  const verdicts = new Map(cluster.members.filter(isShard).map((one) => [one.id, one.verdict]));
  const rows = cluster.partitionMap.shards.map(({ shard, zone, state, replicas, leaders }) => {
    const place = placed.get(shard) ?? { state: state ?? UNKNOWN, zone };
    return {
      key: shard,
      cells: [
        { text: shard, swatch: colourOf(shard) },
        doubt(verdicts.get(shard) ?? place.verdict) ?? { text: place.state },
        place.zone === '' ? UNKNOWN : place.zone,
        number(measure(place.weight)),
        number(count(leaders)),
        number(count(replicas)),
        number(count(place.arriving)),
        number(count(place.departing)),
      ],
    };
  });
  setRows(element('shards'), rows.sort(byKey));
}

const doubt = (word) => (word === 'suspect' || word === 'down' ? verdict(word) : null);

export function showPartitions(partitions, filter) {
  const found = partitions.filter((one) => isWanted(one, filter.trim().toLowerCase()));
  const shown = found.slice(0, PARTITIONS_SHOWN);
  const rows = shown.map((one) => ({
    key: String(one.partition),
    cells: [
      number(String(one.partition)),
      one.leader === null
        ? { text: '■ nobody', className: 'bad' }
        : { text: one.leader, swatch: colourOf(one.leader) },
      one.replicas.join(', '),
      joining(one),
      number(count(one.epoch)),
    ],
  }));
  setRows(element('partitions'), rows);
  const rest = found.length > shown.length ? `, the first ${shown.length} shown` : '';
  setText(element('partitions-shown'), `${many(found.length, 'partition')}${rest}`);
}

function isWanted(partition, text) {
  if (text === '') return true;
  if (text === 'moving') return isMoving(partition);
  if (text === 'nobody') return partition.leader === null;
  const { leader, replicas, nextReplicas, learners } = partition;
  const names = [leader, ...replicas, ...(nextReplicas ?? []), ...learners];
  return String(partition.partition) === text || names.includes(text);
}

function joining({ replicas, nextReplicas, learners }) {
  const next = (nextReplicas ?? []).filter((shard) => !replicas.includes(shard));
  const names = [...learners.map((shard) => `${shard} learns`), ...next];
  return names.length === 0 ? UNKNOWN : names.join(', ');
}

const isUnderWay = ({ phase }) => phase !== 'planned';

export function showMoves(moves) {
  const underWay = moves.moves.filter(isUnderWay).length;
  setText(element('moves-summary'), movesSummary(moves, underWay));
  const rows = moves.moves.slice(0, MOVES_SHOWN).map((move) => ({
    key: `${move.partition}/${move.add}/${move.remove}`,
    cells: [
      number(String(move.partition)),
      shardCell(move.add),
      shardCell(move.remove),
      move.reason,
      move.phase,
      copied(move),
      number(move.bytesPerSecond > 0 ? `${bytes(move.bytesPerSecond)}/s` : UNKNOWN),
      number(duration(move.endsInMs)),
      { text: move.waitsFor, className: 'wide' },
    ],
  }));
  element('moves-table').hidden = rows.length === 0;
  setRows(element('moves'), rows);
}

const shardCell = (shard) => (shard === null ? UNKNOWN : { text: shard, swatch: colourOf(shard) });

function copied({ partition, bytesDone, bytesTotal, phase }) {
  if (phase === 'planned') return UNKNOWN;
  const part = bytesTotal === 0 ? 1 : Math.min(1, bytesDone / bytesTotal);
  const text = `${bytes(bytesDone)} of ${bytes(bytesTotal)}`;
  return { text, progress: { part, label: `Partition ${partition}, copied` } };
}

export function movesSummary({ paused, blocked, movesTotal }, underWay) {
  const planned = Math.max(0, movesTotal - underWay);
  const what =
    movesTotal === 0
      ? 'Nothing moves.'
      : `${many(underWay, 'partition')} under way, ${count(planned)} planned.`;
  const why = [
    paused ? ' Moves are paused.' : '',
    blocked === null ? '' : ` Nothing can be planned: ${blocked}`,
  ];
  return what + why.join('');
}
