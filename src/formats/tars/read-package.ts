import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { TarsError } from '../../errors/index.js';
import { kernelLayoutVersion } from '../../quant/index.js';
import { parseHeader } from './header.js';
import type { PackageMetadata, PackagedTensor } from './package-plan.js';

/** Stops a damaged length from allocating the machine's memory; the tokenizer of a 256 k vocabulary needs about 15 MB. */
const maxHeaderBytes = 256 * 1024 * 1024;

/** An opened package: where each tensor lies in the file, and what the file says of its model. */
export interface TarsPackage {
  readonly file: string;
  readonly sizeBytes: number;
  readonly metadata: PackageMetadata;
  readonly tensors: ReadonlyMap<string, PackagedTensor>;
}

/** Reads a package's header. Throws FILE_TRUNCATED or FILE_INVALID; a package of another layout version is FILE_INVALID. */
export function readPackage(file: string): TarsPackage {
  const descriptor = openSync(file, 'r');
  try {
    const sizeBytes = fstatSync(descriptor).size;
    const headerLength = readHeaderLength(descriptor, file, sizeBytes);
    const json = Buffer.alloc(headerLength);
    readSync(descriptor, json, 0, headerLength, 8);
    const header = parseHeader(file, json.toString('utf8'), 8 + headerLength, sizeBytes);
    if (header.layoutVersion !== kernelLayoutVersion) {
      throw new TarsError('FILE_INVALID', { file, offset: 8, reason: `kernel layout version ${header.layoutVersion}` });
    }
    return {
      file,
      sizeBytes,
      metadata: header.metadata,
      tensors: new Map(header.tensors.map((tensor) => [tensor.name, tensor])),
    };
  } finally {
    closeSync(descriptor);
  }
}

function readHeaderLength(descriptor: number, file: string, sizeBytes: number): number {
  const prefix = Buffer.alloc(8);
  if (readSync(descriptor, prefix, 0, 8, 0) < 8) {
    throw new TarsError('FILE_TRUNCATED', { file, offset: 0, reason: 'no room for the header length' });
  }
  const length = prefix.readBigUInt64LE(0);
  if (length > BigInt(maxHeaderBytes) || length > BigInt(sizeBytes - 8)) {
    throw new TarsError('FILE_TRUNCATED', { file, offset: 8, reason: `header of ${length} bytes` });
  }
  return Number(length);
}
