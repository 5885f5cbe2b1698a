// Opens a GGUF file (versions 2 and 3, little-endian): header, metadata and tensor table are checked, no weight is read.
import { TarsError } from '../../errors/index.js';
import { FileWindow } from './file-window.js';
import { maxAlignment, maxMetadataKeys, maxTensors } from './limits.js';
import { GgufMetadata, scanMetadata } from './metadata.js';
import { minEntryBytes, readTensorInfos, type GgufTensorInfo } from './tensor-infos.js';

/** "GGUF" read as a little-endian integer. */
const magic = 0x46554747;
const defaultAlignment = 32;
/** Smallest key/value pair: key length, value type, one byte of value. */
const minPairBytes = 8 + 4 + 1;

/**
 * One GGUF file, open until `close()`. Opening reads the header only; arrays of the metadata are stepped over.
 * Errors: FILE_UNREADABLE, FILE_TRUNCATED, FILE_INVALID, FORMAT_UNSUPPORTED; each names the file, and the byte where it can.
 */
export class GgufFile {
  readonly #window: FileWindow;

  private constructor(
    window: FileWindow,
    /** Version of the container format: 2 or 3. */
    readonly version: number,
    /** Tensors begin at multiples of this, in bytes. */
    readonly alignment: number,
    readonly metadata: GgufMetadata,
    /** In file order, under GGUF's own names. */
    readonly tensors: readonly GgufTensorInfo[],
  ) {
    this.#window = window;
  }

  static open(file: string): GgufFile {
    const window = FileWindow.open(file);
    try {
      return GgufFile.#parse(window);
    } catch (error) {
      window.close();
      throw error;
    }
  }

  get path(): string {
    return this.#window.file;
  }

  get size(): number {
    return this.#window.size;
  }

  /** A fresh copy of `length` bytes from `offset`; FILE_TRUNCATED when they are not all in the file. */
  readBytes(offset: number, length: number): Uint8Array {
    return this.#window.readBytes(offset, length, 'tensor data');
  }

  /** Ends all reading; metadata values cannot be decoded afterwards. Closing twice is allowed. */
  close(): void {
    this.#window.close();
  }

  static #parse(window: FileWindow): GgufFile {
    const version = readVersion(window);
    const numTensors = readCount(window, 'tensors', maxTensors, minEntryBytes);
    const numKeys = readCount(window, 'metadata keys', maxMetadataKeys, minPairBytes);
    const metadata = new GgufMetadata(window, scanMetadata(window, numKeys));
    const tableStart = window.position;
    const alignment = readAlignment(metadata);
    window.seek(tableStart);
    const tensors = readTensorInfos(window, numTensors, alignment);
    window.releaseWindow();
    return new GgufFile(window, version, alignment, metadata, tensors);
  }
}

function readVersion(window: FileWindow): number {
  if (window.u32('the GGUF magic') !== magic) {
    throw new TarsError('FILE_INVALID', { file: window.file, offset: 0, reason: 'not a GGUF file' });
  }
  const version = window.u32('the GGUF version');
  if (version !== 0 && (version & 0xffff) === 0) {
    // A small number in the other byte order has only high bytes.
    throw window.unsupported('big-endian GGUF files are not supported; convert the file to little-endian');
  }
  if (version !== 2 && version !== 3) {
    throw window.unsupported(`GGUF version ${version} is not supported; supported: 2, 3`);
  }
  return version;
}

function readCount(window: FileWindow, what: string, limit: number, minBytes: number): number {
  const count = window.u64(`number of ${what}`);
  if (count > limit) {
    throw window.invalid(`${count} ${what} claimed, the limit is ${limit}`, window.position - 8);
  }
  window.require(count * minBytes, `${count} ${what}`);
  return count;
}

function readAlignment(metadata: GgufMetadata): number {
  const key = 'general.alignment';
  const alignment = metadata.count(key) ?? defaultAlignment;
  if (alignment === 0 || alignment > maxAlignment || (alignment & (alignment - 1)) !== 0) {
    throw metadata.invalid(key, `must be a power of two up to ${maxAlignment}, not ${alignment}`);
  }
  return alignment;
}
