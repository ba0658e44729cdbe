export { exportTo, type ExportOptions } from './export-command.js';
export { importFile, type ImportOptions, type ImportSummary } from './import-command.js';
export { describeImport } from './summary.js';
export { TransferError } from './transfer-error.js';
