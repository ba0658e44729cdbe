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
