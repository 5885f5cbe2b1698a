// Bounded reads of one open file. No read goes past the end of the file, and none allocates before that is checked.
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { TarsError, errorMessage } from '../../errors/index.js';

/** Read-ahead after a jump: enough for one scalar and its neighbours. */
const minWindowBytes = 4096;
/** Read-ahead of a long sequential scan: few system calls, so that 400 000 strings are stepped over in milliseconds. */
const maxWindowBytes = 256 * 1024;

/**
 * A file read through one descriptor: random access (`readBytes`) and a cursor with a read-ahead window (`seek`, `u32`, …).
 * All integers are little-endian. Everything throws TarsError FILE_TRUNCATED when the file ends before the wanted bytes.
 */
export class FileWindow {
  readonly size: number;
  #descriptor: number | undefined;
  #window: Buffer = Buffer.alloc(0);
  #windowStart = 0;
  #position = 0;

  private constructor(
    readonly file: string,
    descriptor: number,
  ) {
    this.#descriptor = descriptor;
    this.size = fstatSync(descriptor).size;
  }

  /** Opens a regular file; TarsError FILE_UNREADABLE when that is not possible. */
  static open(file: string): FileWindow {
    try {
      // Checked before opening: opening a named pipe would block until somebody writes to it.
      if (!statSync(file).isFile()) {
        throw new Error('not a regular file');
      }
      return new FileWindow(file, openSync(file, 'r'));
    } catch (error) {
      throw new TarsError('FILE_UNREADABLE', { file, reason: errorMessage(error) }, { cause: error });
    }
  }

  /** Offset of the next byte that the cursor reads. */
  get position(): number {
    return this.#position;
  }

  seek(offset: number): void {
    this.#position = offset;
  }

  /** Moves the cursor over `length` bytes that must be in the file. */
  skip(length: number, what: string): void {
    this.require(length, what);
    this.#position += length;
  }

  /** Checks that `length` bytes from the cursor are in the file. */
  require(length: number, what: string): void {
    if (length > this.size - this.#position) {
      throw this.#truncated(this.#position, length, what);
    }
  }

  u8(what: string): number {
    return this.#take(1, what).readUInt8(this.#offset(1));
  }

  u32(what: string): number {
    return this.#take(4, what).readUInt32LE(this.#offset(4));
  }

  /** An unsigned 64-bit length or count. One beyond 2^53 is not a length of anything: FILE_INVALID. */
  u64(what: string): number {
    const window = this.#take(8, what);
    const at = this.#offset(8);
    const high = window.readUInt32LE(at + 4);
    if (high > 0x1f_ffff) {
      throw this.invalid(`${what} is ${String(window.readBigUInt64LE(at))}`, this.#position - 8);
    }
    return high * 0x1_0000_0000 + window.readUInt32LE(at);
  }

  /** Next `length` bytes; the view is valid until the next read of the cursor. */
  view(length: number, what: string): Buffer {
    const window = this.#take(length, what);
    const at = this.#offset(length);
    return window.subarray(at, at + length);
  }

  /** A fresh copy of `length` bytes from `offset`; does not move the cursor. */
  readBytes(offset: number, length: number, what: string): Buffer {
    if (offset < 0 || length < 0 || length > this.size - offset) {
      throw this.#truncated(offset, length, what);
    }
    const bytes = Buffer.allocUnsafeSlow(length);
    this.#fill(bytes, offset, what);
    return bytes;
  }

  invalid(reason: string, offset: number = this.#position): TarsError {
    return new TarsError('FILE_INVALID', { file: this.file, offset, reason });
  }

  unsupported(reason: string): TarsError {
    return new TarsError('FORMAT_UNSUPPORTED', { file: this.file, reason });
  }

  /** Frees the read-ahead window; it comes back with the next read. */
  releaseWindow(): void {
    this.#window = Buffer.alloc(0);
  }

  close(): void {
    if (this.#descriptor !== undefined) {
      closeSync(this.#descriptor);
      this.#descriptor = undefined;
    }
    this.releaseWindow();
  }

  /** Makes sure that the next `length` bytes are in the window, moves the cursor over them and returns the window. */
  #take(length: number, what: string): Buffer {
    const start = this.#position;
    if (start < this.#windowStart || start + length > this.#windowStart + this.#window.length) {
      if (length > this.size - start) {
        throw this.#truncated(start, length, what);
      }
      const wanted = Math.max(this.#nextWindowBytes(start), length);
      this.#window = this.readBytes(start, Math.min(wanted, this.size - start), what);
      this.#windowStart = start;
    }
    this.#position = start + length;
    return this.#window;
  }

  /** Read-ahead doubles while the cursor moves on from the window, and starts small again after a jump. */
  #nextWindowBytes(start: number): number {
    const isSequential = start >= this.#windowStart && start <= this.#windowStart + 2 * this.#window.length;
    return isSequential ? Math.min(Math.max(2 * this.#window.length, minWindowBytes), maxWindowBytes) : minWindowBytes;
  }

  /** Where the `length` bytes just taken begin in the window. */
  #offset(length: number): number {
    return this.#position - length - this.#windowStart;
  }

  #fill(bytes: Buffer, offset: number, what: string): void {
    if (this.#descriptor === undefined) {
      throw new TarsError('FILE_UNREADABLE', { file: this.file, reason: 'it was closed' });
    }
    let filled = 0;
    while (filled < bytes.length) {
      const count = this.#readOnce(this.#descriptor, bytes, filled, offset + filled);
      if (count === 0) {
        // The file was shortened after it was opened.
        throw this.#truncated(offset + filled, bytes.length - filled, what);
      }
      filled += count;
    }
  }

  #readOnce(descriptor: number, bytes: Buffer, from: number, offset: number): number {
    try {
      return readSync(descriptor, bytes, from, bytes.length - from, offset);
    } catch (error) {
      throw new TarsError('FILE_UNREADABLE', { file: this.file, reason: errorMessage(error) }, { cause: error });
    }
  }

  #truncated(offset: number, length: number, what: string): TarsError {
    const left = Math.max(0, this.size - offset);
    return new TarsError('FILE_TRUNCATED', {
      file: this.file,
      offset,
      reason: `${what} needs ${length} bytes, the file has ${left} more`,
    });
  }
}
