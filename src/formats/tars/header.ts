// The safetensors header of a `.tars` package: tensor index in the standard form, everything else in `__metadata__`.
import { z } from 'zod';
import { TarsError, errorMessage } from '../../errors/index.js';
import { kernelTypes, type KernelType } from '../../quant/index.js';
import type { TokenizerModel } from '../../tokenizer/index.js';
import type { HyperParameters } from '../tensor-source.js';
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

/** Reads back what headerBytes wrote. Throws FILE_INVALID when the file is damaged or not a package of this version. */
export function parseHeader(file: string, json: string, dataStart: number, fileSize: number): ParsedHeader {
  try {
    return readHeader(JSON.parse(json) as Record<string, unknown>, dataStart, fileSize);
  } catch (error) {
    throw new TarsError('FILE_INVALID', { file, offset: 8, reason: errorMessage(error) }, { cause: error });
  }
}

/** Throws whatever a damaged header leads to; the caller names the file. */
function readHeader(entries: Record<string, unknown>, dataStart: number, fileSize: number): ParsedHeader {
  const metadata = metadataSchema.parse(entries['__metadata__']);
  return {
    layoutVersion: Number(metadata.layout_version),
    metadata: {
      recipe: metadata.recipe,
      sourceDigest: metadata.source_digest,
      hyperParameters: z
        .looseObject({ architecture: z.string() })
        .parse(JSON.parse(metadata.hyper_parameters)) as unknown as HyperParameters,
      tokenizer: z
        .looseObject({ tokens: z.array(z.string()) })
        .parse(JSON.parse(metadata.tokenizer)) as unknown as TokenizerModel,
      ...(metadata.chat_template === undefined ? {} : { chatTemplate: metadata.chat_template }),
    },
    tensors: kernelTensorsSchema.parse(JSON.parse(metadata.kernel_tensors)).map((tensor) => {
      const [start, end] = entrySchema.parse(entries[tensor.name]).data_offsets;
      if (end < start || dataStart + end > fileSize) {
        throw new RangeError(`tensor ${tensor.name} lies outside the file`);
      }
      return { ...tensor, offset: dataStart + start, byteLength: end - start };
    }),
  };
}

const metadataSchema = z.object({
  format: z.literal('tars'),
  format_version: z.literal(formatVersion),
  layout_version: z.string(),
  recipe: z.string(),
  source_digest: z.string(),
  hyper_parameters: z.string(),
  tokenizer: z.string(),
  chat_template: z.string().optional(),
  kernel_tensors: z.string(),
});

const kernelTensorsSchema = z.array(
  z.object({
    name: z.string(),
    kind: z.enum(['matrix', 'vector']),
    type: z.enum(Object.keys(kernelTypes) as [KernelType, ...KernelType[]]),
    numRows: z.int().positive(),
    numCols: z.int().positive(),
  }),
);

const entrySchema = z.object({ data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]) });
