import { Command, InvalidArgumentError, Option } from 'commander';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { resolve } from 'node:path';
import { exportTo } from './export-command.js';
import { importFile } from './import-command.js';
import { OPERATIONS_PER_BATCH_MAX } from './import-run.js';
import { standardOutput } from './npm-banner.js';
import { describeImport } from './summary.js';
import { TransferError } from './transfer-error.js';

const DEFAULT_URL = 'http://127.0.0.1:8080';
const STOPPED = 130;
const IN_FLIGHT_MAX = 64;

function integer(max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < 1 || value > max) {
      throw new InvalidArgumentError(`It must be a whole number from 1 to ${max}.`);
    }
    return value;
  };
}

function url(text: string): string {
  if (!URL.canParse(text) || !/^https?:/.test(text))
    throw new InvalidArgumentError('It must be an http address.');
  return text.replace(/\/+$/, '');
}

const urlOption = () => new Option('--url <address>', 'of a gateway').default(DEFAULT_URL).argParser(url);
const giveUpOption = () =>
  new Option('--give-up-after <seconds>', 'without any success').default(120).argParser(integer(86_400));

/** Aborted at Ctrl-C; a second one, not the echo of the first that npm passes on, ends the process. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  let firstAt: number | undefined;
  const request = () => {
    firstAt ??= performance.now();
    if (performance.now() - firstAt > 1_000) process.exit(STOPPED);
    controller.abort();
  };
  process.on('SIGINT', request).on('SIGTERM', request);
  return controller.signal;
}

interface ImportFlags {
  readonly url: string;
  readonly state?: string;
  readonly concurrency: number;
  readonly batch: number;
  readonly giveUpAfter: number;
}

async function runImport(file: string, flags: ImportFlags): Promise<number> {
  const path = resolve(file);
  const options = {
    file: path,
    url: flags.url,
    state: flags.state ?? `${path}.import.json`,
    batchesInFlight: flags.concurrency,
    operationsPerBatch: flags.batch,
    giveUpMs: flags.giveUpAfter * 1000,
  };
  const summary = await importFile(options, stopSignal());
  console.log(describeImport(summary));
  if (!summary.finished) return STOPPED;
  return summary.position.refused > 0 ? 1 : 0;
}

interface ExportFlags {
  readonly url: string;
  readonly prefix: string;
  readonly output?: string;
  readonly giveUpAfter: number;
}

/** Rejects, in one sentence, when the output takes no more: a folder that is not there, a full disk. */
function failureOf(output: NodeJS.WritableStream): Promise<never> {
  return new Promise((_, reject) => {
    output.once('error', (cause: Error) => {
      reject(
        new TransferError(`The export stopped, its output cannot be written: ${cause.message}.`, { cause }),
      );
    });
  });
}

async function runExport(flags: ExportFlags): Promise<number> {
  const output = flags.output === undefined ? standardOutput(process.env) : createWriteStream(flags.output);
  // A reader that has seen enough (`| head`) is no failure.
  process.stdout.on('error', () => process.exit(0));
  const startedAt = performance.now();
  const options = { url: flags.url, prefix: flags.prefix, giveUpMs: flags.giveUpAfter * 1000 };
  const write = async (): Promise<number> => {
    const count = await exportTo(output, options, stopSignal());
    if (output !== process.stdout) await finished(output.end());
    return count;
  };
  const count = await Promise.race([write(), failureOf(output)]);
  console.error(`${count} keys in ${((performance.now() - startedAt) / 1000).toFixed(1)} s.`);
  return 0;
}

function program(): Command {
  const root = new Command('ringleader-transfer').description(
    'Moves keys and values in and out of a cluster, as NDJSON.',
  );
  root
    .command('import')
    .description('Puts every {"key", "value"} line of a file. After Ctrl-C, the same command goes on.')
    .argument('<file>', 'lines of {"key", "value" or "valueBase64", "contentType"?}')
    .addOption(urlOption())
    .option('--state <file>', 'where to remember how far it is (default: beside the input)')
    .addOption(
      new Option('--concurrency <n>', 'batches in flight').default(4).argParser(integer(IN_FLIGHT_MAX)),
    )
    .addOption(
      new Option('--batch <n>', 'operations in one batch')
        .default(500)
        .argParser(integer(OPERATIONS_PER_BATCH_MAX)),
    )
    .addOption(giveUpOption())
    .action(async (file: string, flags: ImportFlags) => {
      process.exitCode = await runImport(file, flags);
    });
  root
    .command('export')
    .description('Writes every key and value as a line, in the byte order of the keys.')
    .addOption(urlOption())
    .option('--prefix <text>', 'only keys that begin so', '')
    .option('--output <file>', 'instead of standard output')
    .addOption(giveUpOption())
    .action(async (flags: ExportFlags) => {
      process.exitCode = await runExport(flags);
    });
  return root;
}

try {
  await program().parseAsync();
} catch (error) {
  if (!(error instanceof TransferError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
