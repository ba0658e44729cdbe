/** The few things that all parts of the page do to the document. Texts are set as texts, never as markup. */

const SVG = 'http://www.w3.org/2000/svg';

export const element = (id) => document.getElementById(id);

/** Changes nothing that is so already: whoever selects text, or reads it aloud, is not disturbed. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function setAttribute(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

export function svg(name, attributes = {}, text = '') {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.textContent = text;
  return node;
}

/**
 * Brings the rows of a table to these items. A row stays the same node for as long as its key is there, so that the place
 * where somebody reads stays, too. A cell is a text, or `{ text, className, swatch, progress }`; the first is the row's head.
 */
export function setRows(body, items) {
  const before = new Map([...body.rows].map((row) => [row.dataset.key, row]));
  items.forEach(({ key, cells }, index) => {
    const row = before.get(key) ?? newRow(key, cells.length);
    before.delete(key);
    cells.forEach((cell, column) => setCell(row.cells[column], cell));
    if (body.rows[index] !== row) body.insertBefore(row, body.rows[index] ?? null);
  });
  for (const row of before.values()) row.remove();
}

function newRow(key, columns) {
  const row = document.createElement('tr');
  row.dataset.key = key;
  for (let column = 0; column < columns; column += 1) {
    const cell = document.createElement(column === 0 ? 'th' : 'td');
    if (column === 0) cell.scope = 'row';
    row.append(cell);
  }
  return row;
}

function setCell(node, cell) {
  const { text, className = '', swatch, progress } = typeof cell === 'string' ? { text: cell } : cell;
  if (node.className !== className) node.className = className;
  const label = node.querySelector('span.label') ?? node.appendChild(labelSpan());
  setText(label, text);
  if (swatch === undefined) node.querySelector('.swatch')?.remove();
  else setSwatch(node, swatch);
  if (progress === undefined) node.querySelector('progress')?.remove();
  else setProgress(node, progress);
}

function labelSpan() {
  const span = document.createElement('span');
  span.className = 'label';
  return span;
}

function setSwatch(node, className) {
  const swatch = node.querySelector('.swatch') ?? document.createElement('span');
  swatch.className = `swatch ${className}`;
  swatch.setAttribute('aria-hidden', 'true');
  if (swatch.parentNode === null) node.prepend(swatch);
}

/** `progress`: `{ label, part }`. */
function setProgress(node, { label, part }) {
  const bar = node.querySelector('progress') ?? document.createElement('progress');
  bar.max = 1;
  bar.value = part;
  setAttribute(bar, 'aria-label', label);
  if (bar.parentNode === null) node.prepend(bar);
}
