// A loaded ONNX graph and its bindings.
import { TarsError } from '../errors/index.js';
import type { Environment } from './environment.js';
import type { OnnxRuntimeLibrary } from './library.js';
import { elementTypeOfOnnx, type ElementType } from './element-type.js';
import { appendProvider, type ProviderName, type ProviderOptions } from './provider.js';
import type { OrtApiMember } from './ort-api.js';
import type { Tensor } from './tensor.js';

export interface SessionOptions {
  readonly provider?: ProviderName;
  readonly providerOptions?: ProviderOptions;
  /** Threads of one run, the calling thread included. */
  readonly numThreads: number;
  /** Paths of custom-op libraries to register. */
  readonly operatorLibraries?: readonly string[];
  /** Session config entries (`session.…`, `optimization.…`), by key. */
  readonly config?: Readonly<Record<string, string>>;
  /** 0 none, 1 basic, 2 extended, 99 all. Our graphs are written in final operators: basic is enough and loads faster. */
  readonly optimizationLevel?: 0 | 1 | 2 | 99;
  /** File prefix for ONNX Runtime's JSON profile. */
  readonly profilePrefix?: string;
}

export interface ValueInfo {
  readonly name: string;
  readonly type: ElementType;
  /** -1 marks a symbolic dimension. */
  readonly shape: readonly number[];
}

export class Session implements Disposable {
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly library: OnnxRuntimeLibrary;
  #handle: bigint;

  private constructor(library: OnnxRuntimeLibrary, handle: bigint) {
    this.library = library;
    this.#handle = handle;
    this.inputs = describeValues(library, handle, 'Input');
    this.outputs = describeValues(library, handle, 'Output');
  }

  /** Builds a session from a serialised ModelProto, off the event loop. Throws RUNTIME_FAILED, PROVIDER_UNAVAILABLE. */
  static async create(environment: Environment, model: Uint8Array, options: SessionOptions): Promise<Session> {
    const { library } = environment;
    const handle = library.create('CreateSessionOptions');
    try {
      applyOptions(library, handle, options);
      const session = await library.createAsync('CreateSessionFromArray', environment.handle, model, model.byteLength, handle);
      return new Session(library, session);
    } finally {
      library.release('ReleaseSessionOptions', handle);
    }
  }

  get handle(): bigint {
    return this.#handle;
  }

  /** Runs with a binding and blocks the calling thread. */
  run(binding: IoBinding, options?: RunOptions): void {
    this.library.call('RunWithBinding', this.#handle, options?.handle ?? null, binding.handle);
  }

  /** Runs off the event loop. The binding and everything bound must stay untouched until the promise settles. */
  runAsync(binding: IoBinding, options?: RunOptions): Promise<void> {
    return this.library.callAsync('RunWithBinding', this.#handle, options?.handle ?? null, binding.handle);
  }

  /** Ends profiling and returns the profile's path; only after `profilePrefix` was given. */
  endProfiling(): string {
    const allocator = this.library.create('GetAllocatorWithDefaultOptions');
    return this.library.takeString(this.library.create('SessionEndProfiling', this.#handle, allocator), allocator);
  }

  [Symbol.dispose](): void {
    if (this.#handle !== 0n) {
      this.library.release('ReleaseSession', this.#handle);
      this.#handle = 0n;
    }
  }
}

/** Names bound to tensors for runs of one session. One binding serves one run at a time. */
export class IoBinding implements Disposable {
  readonly #library: OnnxRuntimeLibrary;
  #handle: bigint;

  constructor(session: Session) {
    this.#library = session.library;
    this.#handle = session.library.create('CreateIoBinding', session.handle);
  }

  get handle(): bigint {
    return this.#handle;
  }

  /** Binds an input, replacing what the name had; the binding keeps its own reference to the value. */
  bindInput(name: string, tensor: Tensor): void {
    this.#library.call('BindInput', this.#handle, name, tensor.handle);
  }

  /** Binds an output to memory of exactly the shape that the run will produce. */
  bindOutput(name: string, tensor: Tensor): void {
    this.#library.call('BindOutput', this.#handle, name, tensor.handle);
  }

  [Symbol.dispose](): void {
    if (this.#handle !== 0n) {
      this.#library.release('ReleaseIoBinding', this.#handle);
      this.#handle = 0n;
    }
  }
}

/** Options of runs; `terminate()` ends the runs that use them between two nodes, with RUNTIME_FAILED. */
export class RunOptions implements Disposable {
  readonly #library: OnnxRuntimeLibrary;
  #handle: bigint;

  constructor(library: OnnxRuntimeLibrary) {
    this.#library = library;
    this.#handle = library.create('CreateRunOptions');
  }

  get handle(): bigint {
    return this.#handle;
  }

  terminate(): void {
    this.#library.call('RunOptionsSetTerminate', this.#handle);
  }

  reset(): void {
    this.#library.call('RunOptionsUnsetTerminate', this.#handle);
  }

  [Symbol.dispose](): void {
    if (this.#handle !== 0n) {
      this.#library.release('ReleaseRunOptions', this.#handle);
      this.#handle = 0n;
    }
  }
}

function applyOptions(library: OnnxRuntimeLibrary, handle: bigint, options: SessionOptions): void {
  library.call('SetIntraOpNumThreads', handle, options.numThreads);
  library.call('SetInterOpNumThreads', handle, 1);
  library.call('SetSessionExecutionMode', handle, 0);
  library.call('SetSessionGraphOptimizationLevel', handle, options.optimizationLevel ?? 1);
  library.call('SetSessionLogSeverityLevel', handle, 4);
  // Memory patterns are planned for one fixed shape; the shapes of ragged batches change with every step.
  library.call('DisableMemPattern', handle);
  for (const [key, value] of Object.entries(options.config ?? {})) {
    library.call('AddSessionConfigEntry', handle, key, value);
  }
  for (const file of options.operatorLibraries ?? []) {
    library.call('RegisterCustomOpsLibrary_V2', handle, file);
  }
  if (options.profilePrefix !== undefined) {
    library.call('EnableProfiling', handle, options.profilePrefix);
  }
  appendProvider(library, handle, options.provider ?? 'cpu', options.providerOptions);
}

function describeValues(library: OnnxRuntimeLibrary, session: bigint, side: 'Input' | 'Output'): ValueInfo[] {
  const allocator = library.create('GetAllocatorWithDefaultOptions');
  const count = library.getNumber(`SessionGet${side}Count`, session);
  return Array.from({ length: count }, (_, index) => {
    const name = library.takeString(library.create(`SessionGet${side}Name`, session, index, allocator), allocator);
    return { name, ...describeType(library, `SessionGet${side}TypeInfo`, session, index, name) };
  });
}

function describeType(
  library: OnnxRuntimeLibrary,
  member: OrtApiMember,
  session: bigint,
  index: number,
  name: string,
): Omit<ValueInfo, 'name'> {
  const typeInfo = library.create(member, session, index);
  try {
    const tensorInfo = library.create('CastTypeInfoToTensorInfo', typeInfo);
    const type = tensorInfo === 0n ? undefined : elementTypeOfOnnx(library.getNumber('GetTensorElementType', tensorInfo));
    if (type === undefined) {
      throw new TarsError('RUNTIME_FAILED', { reason: `${name} is not a tensor of a supported type`, call: member, code: 0 });
    }
    const shape = new BigInt64Array(library.getNumber('GetDimensionsCount', tensorInfo));
    library.call('GetDimensions', tensorInfo, shape, shape.length);
    return { type, shape: Array.from(shape, Number) };
  } finally {
    library.release('ReleaseTypeInfo', typeInfo);
  }
}
