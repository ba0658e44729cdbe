/**
 * JSON.parse keeps the last of two fields with one name and says nothing, so that whoever meant the first is not heard.
 * Neither it nor its reviver shows them, and parsers that do cost many times as much. This goes from quote to quote only.
 */
const BRACE = 0x7b;
const BRACE_END = 0x7d;
const BRACKET = 0x5b;
const BRACKET_END = 0x5d;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const SPACE = 0x20;

/** The first name that one object of the text has twice; null where there is none. The text is known to be JSON. */
export function repeatedField(json: string): string | null {
  /** The names of each object that is open; null for a list. */
  const open: (Set<string> | null)[] = [];
  for (let at = 0; ;) {
    const begin = json.indexOf('"', at);
    nest(open, json, { from: at, to: begin === -1 ? json.length : begin });
    if (begin === -1) return null;
    at = endOfString(json, begin);
    if (!isName(json, at)) continue;
    const name = textOf(json.slice(begin, at));
    const names = open.at(-1);
    if (names?.has(name) === true) return name;
    names?.add(name);
  }
}

/** How many fields the objects of the text have, counting each as often as it is written. The text is known to be JSON. */
export function fieldsWritten(json: string): number {
  let count = 0;
  for (let begin = json.indexOf('"'); begin !== -1;) {
    const end = endOfString(json, begin);
    if (isName(json, end)) count += 1;
    begin = json.indexOf('"', end);
  }
  return count;
}

function nest(open: (Set<string> | null)[], json: string, { from, to }: { from: number; to: number }): void {
  for (let at = from; at < to; at += 1) {
    const code = json.charCodeAt(at);
    if (code === BRACE) open.push(new Set());
    else if (code === BRACKET) open.push(null);
    else if (code === BRACE_END || code === BRACKET_END) open.pop();
  }
}

function endOfString(json: string, begin: number): number {
  let end = begin;
  do end = json.indexOf('"', end + 1);
  while (isEscaped(json, end));
  return end + 1;
}

function isEscaped(json: string, at: number): boolean {
  let first = at;
  while (json.charCodeAt(first - 1) === BACKSLASH) first -= 1;
  return (at - first) % 2 === 1;
}

function isName(json: string, after: number): boolean {
  let at = after;
  while (json.charCodeAt(at) <= SPACE) at += 1;
  return json.charCodeAt(at) === COLON;
}

function textOf(quoted: string): string {
  return quoted.includes('\\') ? (JSON.parse(quoted) as string) : quoted.slice(1, -1);
}
