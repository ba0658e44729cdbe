import type { ImportSummary } from './import-command.js';

/** What an import came to, for a person. */
export function describeImport(summary: ImportSummary): string {
  const { position, resumedAtLine, bytes, elapsedMs, refusals, refusalFile } = summary;
  const seconds = elapsedMs / 1000;
  const perSecond = (amount: number) => Math.round(amount / Math.max(seconds, 0.001));
  const megabytes = bytes / 1e6;
  const lines = position.lines - resumedAtLine;
  const text = [
    ...(resumedAtLine > 0 ? [`Went on behind line ${resumedAtLine}, where the last run was stopped.`] : []),
    `${lines} lines in ${seconds.toFixed(1)} s: ${perSecond(lines)} lines/s, ${(megabytes / Math.max(seconds, 0.001)).toFixed(1)} MB/s.`,
    `In all: ${position.created} keys created, ${position.replaced} replaced, ${position.refused} lines refused.`,
  ];
  for (const { line, code, detail } of refusals) text.push(`  line ${line}: ${code} ${detail}`);
  if (position.refused > 0) text.push(`Every refused line and why: ${refusalFile}`);
  if (!summary.finished)
    text.push(`Stopped behind line ${position.lines}: the same command goes on from there.`);
  return text.join('\n');
}
