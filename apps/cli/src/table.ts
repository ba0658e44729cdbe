/** Columns as wide as their widest cell, two spaces apart; what is empty everywhere is left out. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const shown = headings.map((_, i) => i).filter((i) => rows.some((row) => (row[i] ?? '') !== ''));
  const lines = [headings, ...rows].map((row) => shown.map((i) => row[i] ?? ''));
  const widths = shown.map((_, i) => Math.max(...lines.map((line) => (line[i] ?? '').length)));
  return lines
    .map((line) =>
      line
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

const CONTROL = /\p{Cc}/gu;

/** One line that a terminal takes for text: what holds control characters, or could be taken for that, is quoted as in JSON. */
export function shown(text: string): string {
  if (!text.startsWith('"') && text.search(CONTROL) === -1) return text;
  return JSON.stringify(text).replace(
    CONTROL,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
