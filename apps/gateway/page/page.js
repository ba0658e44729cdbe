/** The page of a gateway: follows the cluster by server-sent events, and shows it. */
import { addPoints, drawCharts } from './charts.js';
import { element, setRows, setText } from './dom.js';
import { Refused, fetchJson, follow, forgetToken, hasToken, useToken } from './gateway.js';
import { clearRing, colourOf, drawRing } from './ring.js';
import { movesSummary, showMembers, showMoves, showPartitions, showShards } from './tables.js';
import { health } from './words.js';

const EVENTS = '/v1/cluster/events';
const PARTITIONS = '/v1/cluster/partitions';
const LOAD = '/v1/cluster/load';
/** Without a word for so long (heartbeats come every ten seconds) the connection is as good as lost. */
const SILENCE_MS = 25_000;
const COME_BACK_MS = 1_500;
/** There is none, or it is for something else. */
const NEEDS_TOKEN = new Set([401, 403]);
/** The ring is asked for at most so often, and less often where it is large. */
const RING_EVERY_MS = 1_000;
const RING_EVERY_MS_PER_PARTITION = 0.5;

/** Of what a gateway remembers. */
const HISTORY_STEP_MS = 5_000;

const state = { cluster: null, moves: null, load: null, partitions: [] };
const said = new Map();
let knownSteps = '';
let lastHeardAt = 0;
let source = null;
let lastEventId = '';

const handlers = {
  cluster(data) {
    state.cluster = data;
    showCluster(data);
    showOverview();
    followRing();
  },
  moves(data) {
    state.moves = data;
    showMoves(data);
    showOverview();
    // How much was copied changes all the time, and nothing of it is seen in the ring.
    const steps = data.moves.map(({ partition, phase }) => `${partition} ${phase}`).join();
    if (steps !== knownSteps) followRing();
    knownSteps = steps;
    const underWay = data.moves.filter(({ phase }) => phase !== 'planned').length;
    announce('moves', underWay > 0, movesSummary(data, underWay));
  },
  load(data) {
    state.load = data;
    addPoints([pointOf(data.at, data.requests)]);
    drawCharts();
    if (state.cluster !== null) showMembers(state);
  },
  heartbeat() {},
  RECONNECT() {
    reconnect();
  },
};

function showCluster({ name, health: word, reasons }) {
  const { text, className } = health(word);
  setText(element('name'), name);
  document.title = `${text.slice(2)}: ${name} – Ringleader`;
  const node = element('health');
  node.className = className;
  setText(node, text);
  element('reasons-section').hidden = reasons.length === 0;
  const list = element('reasons');
  const shown = [...list.children].map(({ textContent }) => textContent);
  if (shown.join('\n') !== reasons.join('\n')) list.replaceChildren(...reasons.map(listItem));
  const why = reasons.length === 0 ? '' : `: ${reasons.join('; ')}`;
  announce('health', `${word}${why}`, `The cluster is ${word}${why}`);
}

const pointOf = (at, { perSecond, latencyMsP50: p50, latencyMsP99: p99 }) => ({
  ...{ at: Date.parse(at), perSecond, p50, p99 },
});

/** What was before the page was opened, or while the connection was lost. */
async function askForHistory() {
  try {
    const { items } = await fetchJson(LOAD);
    const before = items.map(({ at, ...requests }) => pointOf(at, requests));
    addPoints(before, HISTORY_STEP_MS);
    drawCharts();
  } catch (error) {
    setText(element('connection'), `The last minutes cannot be asked for: ${error.message}`);
  }
}

function listItem(text) {
  const item = document.createElement('li');
  item.textContent = text;
  return item;
}

function showOverview() {
  if (state.cluster === null) return;
  // Colours go by the order of shards, not by who happens to lead the first partition.
  const { shards } = state.cluster.partitionMap;
  for (const { shard } of [...shards].sort((a, b) => a.ordinal - b.ordinal)) colourOf(shard);
  showMembers(state);
  showShards(state);
}

/** Read aloud when it has become another: only what people want to hear of, and not its every detail. */
function announce(topic, fact, text) {
  const isFirst = !said.has(topic);
  if (said.get(topic) === fact) return;
  said.set(topic, fact);
  if (isFirst && topic === 'moves' && fact === false) return;
  setText(element('announcer'), text);
}

let isWaitingForToken = false;
let comingBack;
let ringAskedAt = -Infinity;
let isRingPlanned = false;
/** Something has changed since the ring was asked for that is on its way. */
let isRingOld = false;
function followRing() {
  isRingOld = true;
  if (isRingPlanned) return;
  isRingPlanned = true;
  const everyMs = Math.max(RING_EVERY_MS, RING_EVERY_MS_PER_PARTITION * state.partitions.length);
  const waitMs = Math.max(0, ringAskedAt + everyMs - performance.now());
  setTimeout(async () => {
    isRingOld = false;
    ringAskedAt = performance.now();
    await askForRing();
    isRingPlanned = false;
    if (isRingOld) followRing();
  }, waitMs);
}

async function askForRing() {
  try {
    const { items } = await fetchJson(PARTITIONS);
    state.partitions = items;
    if (items.length === 0) clearRing(element('ring'), 'There is no partition map yet');
    else drawRing(element('ring'), items);
    showPartitionTable();
  } catch (error) {
    setText(element('connection'), `The ring cannot be asked for: ${error.message}`);
    // What is seen is of before. With a token comes all of it anew.
    isRingOld = !isWaitingForToken;
  }
}

/** A table that nobody sees costs nothing. */
function showPartitionTable() {
  if (element('partitions-details').open) showPartitions(state.partitions, element('filter').value);
}

function connect() {
  source = follow(EVENTS, lastEventId, {
    onOpen() {
      heard('Live');
      askForToken(null);
      void askForHistory();
    },
    onEvent({ event, id, data }) {
      heard('Live');
      lastEventId = id ?? lastEventId;
      handlers[event]?.(JSON.parse(data));
    },
    onLost(error) {
      if (error instanceof Refused && NEEDS_TOKEN.has(error.status)) {
        askForToken(error);
        return;
      }
      setText(element('connection'), 'Connection lost; trying again');
      comingBack = setTimeout(reconnect, COME_BACK_MS);
    },
  });
}

/** Null: none is needed, or the one that there is does. */
function askForToken(refused) {
  isWaitingForToken = refused !== null;
  element('token-section').hidden = !isWaitingForToken;
  element('forget').hidden = isWaitingForToken || !hasToken();
  if (refused === null) return;
  setText(element('connection'), 'Waiting for a token');
  setText(element('token-reason'), refused.message);
  element('token').focus();
}

function takeToken(event) {
  event.preventDefault();
  const input = element('token');
  useToken(input.value.trim());
  input.value = '';
  lastEventId = '';
  setText(element('connection'), 'Connecting');
  reconnect();
}

function heard(text) {
  lastHeardAt = performance.now();
  setText(element('connection'), text);
}

function reconnect() {
  clearTimeout(comingBack);
  source.close();
  connect();
}

setRows(element('partitions'), []);
element('partitions-details').addEventListener('toggle', showPartitionTable);
element('filter').addEventListener('input', showPartitionTable);
element('token-form').addEventListener('submit', takeToken);
element('forget').addEventListener('click', () => {
  forgetToken();
  location.reload();
});
setInterval(() => {
  if (isWaitingForToken || performance.now() - lastHeardAt < SILENCE_MS) return;
  lastHeardAt = performance.now();
  setText(element('connection'), 'Nothing heard lately; trying again');
  reconnect();
}, 5_000);
connect();
