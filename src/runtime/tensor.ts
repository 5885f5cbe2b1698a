// Memory outside the JavaScript heap, and ONNX Runtime tensors over it. Typed arrays can move or be collected; this memory cannot.
import koffi from 'koffi';
import type { OnnxRuntimeLibrary } from './library.js';
import { elementTypes, type ElementType } from './element-type.js';

/** A block of native memory, aligned for the widest vector loads. Contents are undefined until written. */
export class NativeMemory implements Disposable {
  readonly byteLength: number;
  readonly #library: OnnxRuntimeLibrary;
  readonly #allocator: bigint;
  #address: bigint;

  constructor(library: OnnxRuntimeLibrary, byteLength: number) {
    this.#library = library;
    this.byteLength = byteLength;
    this.#allocator = library.create('GetAllocatorWithDefaultOptions');
    this.#address = library.create('AllocatorAlloc', this.#allocator, Math.max(byteLength, 64));
  }

  get address(): bigint {
    return this.#address;
  }

  /** The memory as an ArrayBuffer, without a copy. It must not be used after dispose. */
  view(): ArrayBuffer {
    return koffi.view(this.#address, Math.max(this.byteLength, 64));
  }

  [Symbol.dispose](): void {
    if (this.#address !== 0n) {
      this.#library.call('AllocatorFree', this.#allocator, this.#address);
      this.#address = 0n;
    }
  }
}

/** An ONNX Runtime value over memory that the caller keeps alive until the last run that uses it has ended. */
export class Tensor implements Disposable {
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly #library: OnnxRuntimeLibrary;
  #handle: bigint;

  constructor(library: OnnxRuntimeLibrary, cpuMemory: bigint, type: ElementType, shape: readonly number[], address: bigint) {
    this.#library = library;
    this.type = type;
    this.shape = shape;
    const bytes = shape.reduce((product, size) => product * size, elementTypes[type].bytes);
    this.#handle = library.create(
      'CreateTensorWithDataAsOrtValue',
      cpuMemory,
      address,
      bytes,
      BigInt64Array.from(shape, BigInt),
      shape.length,
      elementTypes[type].onnx,
    );
  }

  get handle(): bigint {
    return this.#handle;
  }

  [Symbol.dispose](): void {
    if (this.#handle !== 0n) {
      this.#library.release('ReleaseValue', this.#handle);
      this.#handle = 0n;
    }
  }
}
