export { checkHistory, checkOperations, type CheckOptions, type CheckResult } from './check.js';
export { toOperations, type HistoryEvent, type Operation, type Outcome } from './history.js';
export type { Model } from './model.js';
export { casRegister, type CasRegisterInput, type CasRegisterOutput } from './models/cas-register.js';
export { kvAppend, type KvAppendInput, type KvAppendOutput } from './models/kv-append.js';
export {
  kvWithConditions,
  type KvConditions,
  type KvInput,
  type KvOutput,
  type KvState,
} from './models/kv-with-conditions.js';
export { multiRegister, type MultiRegisterInput, type MultiRegisterOutput } from './models/multi-register.js';
export { mutex, type MutexInput } from './models/mutex.js';
