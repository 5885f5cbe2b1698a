import { OnnxRuntimeLibrary } from './library.js';
import { NativeMemory, Tensor } from './tensor.js';
import type { ElementType } from './element-type.js';

/** Severity from which ONNX Runtime logs to stderr: 4 is fatal. Errors reach the caller as TarsError, once. */
const logSeverity = 4;

/** The ONNX Runtime environment of this process: create one, dispose it after every session. */
export class Environment implements Disposable {
  readonly library: OnnxRuntimeLibrary;
  readonly #handle: bigint;
  readonly #cpuMemory: bigint;

  constructor(library: OnnxRuntimeLibrary = new OnnxRuntimeLibrary()) {
    this.library = library;
    this.#handle = library.create('CreateEnv', logSeverity, 'tars');
    this.#cpuMemory = library.create('CreateCpuMemoryInfo', 1, 0);
  }

  get handle(): bigint {
    return this.#handle;
  }

  allocate(byteLength: number): NativeMemory {
    return new NativeMemory(this.library, byteLength);
  }

  /** A tensor over native memory at `address`; see Tensor for who keeps what alive. */
  tensor(type: ElementType, shape: readonly number[], address: bigint): Tensor {
    return new Tensor(this.library, this.#cpuMemory, type, shape, address);
  }

  [Symbol.dispose](): void {
    this.library.release('ReleaseMemoryInfo', this.#cpuMemory);
    this.library.release('ReleaseEnv', this.#handle);
  }
}
