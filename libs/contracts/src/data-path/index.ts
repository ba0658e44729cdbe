export { ByteReader, ByteWriter, MalformedBytesError } from '@ringleader/primitives';
export {
  decodeFrame,
  FRAME_BYTES_MAX,
  FRAME_BYTES_TARGET,
  type FrameKind,
  frameKindOf,
  type MalformedFrame,
  refusalOf,
} from './frame.js';
export * from './leaders-frame.js';
export * from './peer-frame.js';
export * from './piece-frame.js';
export * from './reply-frame.js';
export * from './request-frame.js';
export { positionCodec, requestMarksCodec } from './rows.js';
