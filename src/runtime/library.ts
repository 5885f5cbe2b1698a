// Loads libonnxruntime from the onnxruntime-node package and calls its C API through koffi.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import koffi from 'koffi';
import { TarsError } from '../errors/index.js';
import { ortApiLength, ortApiMembers, ortApiVersion, type OrtApiMember, type Pointer } from './ort-api.js';

type Argument = Pointer | number | string | Uint8Array | BigInt64Array | readonly (string | number | bigint | null)[];
type NativeFunction = ReturnType<ReturnType<typeof koffi.load>['func']>;

const libraryFileNames: Readonly<Partial<Record<NodeJS.Platform, string>>> = {
  linux: 'libonnxruntime.so.1',
  darwin: 'libonnxruntime.1.30.0.dylib',
  win32: 'onnxruntime.dll',
};

// ONNX Runtime does the work of one intra-op thread on the calling thread. koffi runs calls on stacks of its own, 128 KiB
// by default for asynchronous calls, which kernels and protobuf parsing overrun (seen as a crash inside the call).
const callStackBytes = 8 * 1024 * 1024;

/** Path of the ONNX Runtime library that onnxruntime-node ships for this platform. */
export function findOnnxRuntime(): string {
  const packageRoot = path.dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
  const fileName = libraryFileNames[process.platform];
  const file = path.join(packageRoot, 'bin', 'napi-v6', process.platform, process.arch, fileName ?? 'none');
  if (fileName === undefined || !existsSync(file)) {
    throw new TarsError('PROVIDER_UNAVAILABLE', {
      provider: 'cpu',
      reason: `onnxruntime-node has no library for ${process.platform}-${process.arch}`,
    });
  }
  return file;
}

/** The loaded library: one object per process, handed to everything that makes native calls. */
export class OnnxRuntimeLibrary {
  readonly version: string;
  readonly file: string;
  /** koffi unloads a library whose handle is collected, whatever function pointers were read out of it. */
  readonly #handle: ReturnType<typeof koffi.load>;
  readonly #functions: Readonly<Record<OrtApiMember, NativeFunction>>;
  /** Arguments of asynchronous calls in flight. */
  readonly #pinned = new Set<readonly Argument[]>();

  constructor(file: string = findOnnxRuntime()) {
    if (koffi.config().sync_stack_size !== callStackBytes) {
      koffi.config({ sync_stack_size: callStackBytes, async_stack_size: callStackBytes, resident_async_pools: 2 });
    }
    this.file = file;
    this.#handle = koffi.load(file);
    const base: unknown = this.#handle.func('void *OrtGetApiBase()')();
    const [getApi, getVersion] = koffi.decode(base, 'void *', 2) as [bigint, bigint];
    this.version = koffi.call(getVersion, koffi.proto('const char *()')) as string;
    const api = koffi.call(getApi, koffi.proto('void *(uint32_t version)'), ortApiVersion) as Pointer;
    if (api === null || api === 0n) {
      throw new TarsError('PROVIDER_UNAVAILABLE', {
        provider: 'cpu',
        reason: `${path.basename(file)} ${this.version} is older than C API version ${ortApiVersion}`,
      });
    }
    this.#functions = bindMembers(api);
  }

  /** Calls a member that returns a status; a failed status becomes TarsError RUNTIME_FAILED with ONNX Runtime's message. */
  call(member: OrtApiMember, ...args: readonly Argument[]): void {
    this.#check(member, this.#functions[member](...args) as Pointer);
  }

  /** The same off the event loop. Buffers among the arguments are kept alive; native memory is the caller's to keep. */
  async callAsync(member: OrtApiMember, ...args: readonly Argument[]): Promise<void> {
    const status = await new Promise<Pointer>((resolve, reject) => {
      this.#functions[member].async(...args, (error: Error | null, result: Pointer) => {
        this.#pinned.delete(args);
        if (error) {
          reject(error);
        } else {
          resolve(result);
        }
      });
      // koffi passes the address of a buffer and forgets the buffer, which the garbage collector may then free under the call.
      this.#pinned.add(args);
    });
    this.#check(member, status);
  }

  /** Calls a `(…, void **out)` member and returns the pointer that it filled in. */
  create(member: OrtApiMember, ...args: readonly Argument[]): bigint {
    const out: (bigint | null)[] = [null];
    this.call(member, ...args, out);
    return out[0] ?? 0n;
  }

  async createAsync(member: OrtApiMember, ...args: readonly Argument[]): Promise<bigint> {
    const out: (bigint | null)[] = [null];
    await this.callAsync(member, ...args, out);
    return out[0] ?? 0n;
  }

  /** Calls a member whose last parameter is an output number. */
  getNumber(member: OrtApiMember, ...args: readonly Argument[]): number {
    const out = [0];
    this.call(member, ...args, out);
    return Number(out[0]);
  }

  /** Calls a `void` member (the Release and Clear functions). */
  release(member: OrtApiMember, handle: Pointer): void {
    this.#functions[member](handle);
  }

  /** Reads a NUL-terminated string and gives it back to the allocator that made it. */
  takeString(pointer: bigint, allocator: bigint): string {
    const text = koffi.decode.string(pointer);
    this.call('AllocatorFree', allocator, pointer);
    return text;
  }

  #check(member: OrtApiMember, status: Pointer): void {
    if (status === null || status === 0n) {
      return;
    }
    const reason = this.#functions.GetErrorMessage(status) as string;
    const code = this.#functions.GetErrorCode(status) as number;
    this.#functions.ReleaseStatus(status);
    throw new TarsError('RUNTIME_FAILED', { reason, call: member, code });
  }
}

function bindMembers(api: bigint): Record<OrtApiMember, NativeFunction> {
  const table = koffi.decode(api, 'void *', ortApiLength) as bigint[];
  const entries = Object.entries(ortApiMembers).map(([name, [index, prototype]]) => {
    const withResult = prototype.startsWith('(') ? `void *${prototype}` : prototype;
    return [name, koffi.decode(table[index], koffi.proto(withResult)) as NativeFunction] as const;
  });
  return Object.fromEntries(entries) as Record<OrtApiMember, NativeFunction>;
}
