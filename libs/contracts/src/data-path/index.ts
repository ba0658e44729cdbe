export { ByteReader, MalformedFrameError } from './byte-reader.js';
export { ByteWriter } from './byte-writer.js';
export { decodeFrame, FRAME_BYTES_MAX, FRAME_BYTES_TARGET, type MalformedFrame } from './frame.js';
export * from './leaders-frame.js';
export * from './peer-frame.js';
export * from './reply-frame.js';
export * from './request-frame.js';
export { readPosition, readRequestMarks, writePosition, writeRequestMarks } from './rows.js';
