// The safetensors header of a `.tars` package: tensor index in the standard form, everything else in `__metadata__`.
import { TarsError } from '../../errors/index.js';
import type { KernelType } from '../../quant/index.js';
import type { PackageMetadata, PackagedTensor } from './package-plan.js';

export type HeaderTensor = Omit<PackagedTensor, 'offset'>;

/** Version of the metadata keys below. */
const formatVersion = '1';

interface SafetensorsEntry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

/** Header with its length prefix, padded with spaces (as the format allows) so that the data starts on a cache line. */
export function headerBytes(tensors: readonly HeaderTensor[], metadata: PackageMetadata, layoutVersion: number): Uint8Array {
  const entries: Record<string, SafetensorsEntry | Record<string, string>> = {
    __metadata__: {
      format: 'tars',
      format_version: formatVersion,
      layout_version: String(layoutVersion),
      recipe: metadata.recipe,
      source_digest: metadata.sourceDigest,
      hyper_parameters: JSON.stringify(metadata.hyperParameters),
      tokenizer: JSON.stringify(metadata.tokenizer, arraysFromTyped),
      ...(metadata.chatTemplate === undefined ? {} : { chat_template: metadata.chatTemplate }),
      kernel_tensors: JSON.stringify(
        tensors.map(({ name, kind, type, numRows, numCols }) => ({ name, kind, type, numRows, numCols })),
      ),
    },
  };
  let offset = 0;
  for (const tensor of tensors) {
    const isVector = tensor.kind === 'vector';
    entries[tensor.name] = {
      dtype: isVector ? 'F32' : 'U8',
      shape: [isVector ? tensor.numCols : tensor.byteLength],
      data_offsets: [offset, offset + tensor.byteLength],
    };
    offset += tensor.byteLength;
  }
  const json = Buffer.from(JSON.stringify(entries));
  const length = Math.ceil((8 + json.length) / 64) * 64 - 8;
  const bytes = Buffer.alloc(8 + length, ' ');
  bytes.writeBigUInt64LE(BigInt(length), 0);
  json.copy(bytes, 8);
  return bytes;
}

function arraysFromTyped(_key: string, value: unknown): unknown {
  return ArrayBuffer.isView(value) ? Array.from(value as unknown as ArrayLike<number>) : value;
}

export interface ParsedHeader {
  readonly metadata: PackageMetadata;
  readonly layoutVersion: number;
  readonly tensors: readonly PackagedTensor[];
}

/** Reads back what headerBytes wrote. Throws FILE_INVALID when the file is not a package of this version. */
export function parseHeader(file: string, json: string, dataStart: number, fileSize: number): ParsedHeader {
  const invalid = (reason: string): TarsError => new TarsError('FILE_INVALID', { file, offset: 8, reason });
  let entries: Record<string, unknown>;
  try {
    entries = JSON.parse(json) as Record<string, unknown>;
  } catch {
    throw invalid('the safetensors header is not JSON');
  }
  const metadata = entries['__metadata__'] as Readonly<Record<string, string>> | undefined;
  if (metadata?.['format'] !== 'tars' || metadata['format_version'] !== formatVersion) {
    throw invalid(`not a .tars package of format version ${formatVersion}`);
  }
  const tensors = JSON.parse(metadata['kernel_tensors'] ?? '[]') as {
    name: string;
    kind: 'matrix' | 'vector';
    type: KernelType;
    numRows: number;
    numCols: number;
  }[];
  return {
    layoutVersion: Number(metadata['layout_version']),
    metadata: {
      recipe: metadata['recipe'] ?? '',
      sourceDigest: metadata['source_digest'] ?? '',
      hyperParameters: JSON.parse(metadata['hyper_parameters'] ?? '{}') as PackageMetadata['hyperParameters'],
      tokenizer: JSON.parse(metadata['tokenizer'] ?? '{}') as PackageMetadata['tokenizer'],
      ...(metadata['chat_template'] === undefined ? {} : { chatTemplate: metadata['chat_template'] }),
    },
    tensors: tensors.map((tensor) => {
      const [start, end] = (entries[tensor.name] as SafetensorsEntry | undefined)?.data_offsets ?? [0, -1];
      if (start < 0 || end < start || dataStart + end > fileSize) {
        throw invalid(`tensor ${tensor.name} lies outside the file`);
      }
      return { ...tensor, offset: dataStart + start, byteLength: end - start };
    }),
  };
}
