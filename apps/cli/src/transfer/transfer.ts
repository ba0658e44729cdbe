/** import and export: keys and values in bulk, as NDJSON. */
import { type Command, Option } from 'commander';
import { CliFailure, EXIT } from '../failure.js';
import { type GlobalFlags, clientOf, integer, stopSignal } from '../global-options.js';
import { exportTo } from './export.js';
import { giveUpOption } from '../retrying.js';
import { describeImport } from './import-report.js';
import { OPERATIONS_PER_BATCH_MAX } from './import-run.js';
import { importFile } from './import.js';
import { openOutput, STANDARD_OUTPUT } from './output.js';

const IN_FLIGHT_MAX = 64;
/** Of one request among many: who waits is a program. */
const TIMEOUT_MS = 30_000;
const MS_PER_SECOND = 1_000;

type ImportFlags = GlobalFlags & {
  readonly state?: string;
  readonly refused?: string;
  readonly concurrency: number;
  readonly batch: number;
  readonly giveUpAfter: number;
};
type ExportFlags = GlobalFlags & {
  readonly prefix: string;
  readonly output: string;
  readonly giveUpAfter: number;
};

async function runImport(file: string, flags: ImportFlags): Promise<void> {
  const summary = await importFile(
    {
      file,
      clientOf: (signal) => clientOf({ ...flags, timeout: TIMEOUT_MS }, signal),
      ...(flags.state === undefined ? {} : { state: flags.state }),
      ...(flags.refused === undefined ? {} : { refused: flags.refused }),
      batchesInFlight: flags.concurrency,
      operationsPerBatch: flags.batch,
      giveUpMs: flags.giveUpAfter * MS_PER_SECOND,
    },
    stopSignal(),
  );
  console.log(flags.format === 'json' ? JSON.stringify(summary) : describeImport(summary));
  if (!summary.finished) process.exitCode = EXIT.stopped;
  else if (summary.position.refused > 0) process.exitCode = EXIT.failed;
}

async function runExport(flags: ExportFlags): Promise<void> {
  const startedAt = performance.now();
  const signal = stopSignal();
  const client = clientOf({ ...flags, timeout: TIMEOUT_MS }, signal);
  const output = await openOutput(flags.output);
  let count: number;
  try {
    const options = { prefix: flags.prefix, giveUpMs: flags.giveUpAfter * MS_PER_SECOND };
    count = await exportTo(output, client, options, signal);
    await output.complete();
  } catch (error) {
    await output.discard();
    if (!signal.aborted) throw error;
    const sentence =
      flags.output === STANDARD_OUTPUT
        ? 'Stopped: what was written is not all there is.'
        : `Stopped: ${flags.output} is as it was.`;
    throw new CliFailure(sentence, { exitCode: EXIT.stopped, cause: error });
  }
  console.error(`${count} keys in ${((performance.now() - startedAt) / MS_PER_SECOND).toFixed(1)} s.`);
}

export function addTransferCommands(root: Command): void {
  root
    .command('import')
    .description('Puts every {"key", "value"} line of a file. After Ctrl-C, the same command goes on.')
    .argument('<file>', 'NDJSON, plain or gzip; - for standard input')
    .option('--state <file>', 'where to remember how far it is (default: beside the input)')
    .option('--refused <file>', 'where to write refused lines and why (default: beside the input)')
    .addOption(
      new Option('--concurrency <n>', 'batches in flight').default(4).argParser(integer(1, IN_FLIGHT_MAX)),
    )
    .addOption(
      new Option('--batch <n>', 'operations in one batch')
        .default(1_000)
        .argParser(integer(1, OPERATIONS_PER_BATCH_MAX)),
    )
    .addOption(giveUpOption())
    .action((file: string, _: unknown, command: Command) => runImport(file, command.optsWithGlobals()));
  root
    .command('export')
    .description('Writes every key and value as a line, in the byte order of the keys.')
    .option('--prefix <text>', 'only keys that begin so', '')
    .option(
      '--output <file>',
      'replaced when all is there; compressed if it ends in .gz; - for standard output',
      STANDARD_OUTPUT,
    )
    .addOption(giveUpOption())
    .action((_: unknown, command: Command) => runExport(command.optsWithGlobals()));
}
