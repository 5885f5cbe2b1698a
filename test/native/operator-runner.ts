// Runs one node of domain `tars` through ONNX Runtime, as a model would: the library under test is the one that
// TARS_NATIVE_LIBRARY names, else the prebuilt one.
import koffi from 'koffi';
import { serializeModel, type OnnxAttribute, type OnnxType } from '../../src/graph/onnx/index.js';
import { Environment, findOperatorLibrary, IoBinding, Session } from '../../src/runtime/index.js';

export interface Input {
  readonly type: OnnxType;
  readonly shape: readonly number[];
  /** Values, or raw bytes for float16. */
  readonly data: Float32Array | Int32Array | BigInt64Array | Uint8Array | Uint16Array;
  /** Copy the memory back into `data` after the run, for tensors that are updated in place. */
  readonly isUpdated?: boolean;
}

export interface OperatorSpec {
  readonly opType: string;
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
  /** Element type and rank of every input; null for one that is left out. */
  readonly inputs: readonly ({ readonly type: OnnxType; readonly rank: number } | null)[];
}

export const libraryPath: string = findOperatorLibrary(process.env.TARS_NATIVE_LIBRARY);
// Before koffi loads anything: the environment sets koffi's stack sizes.
const environment = new Environment();
const library = koffi.load(libraryPath);
const setIsa = library.func('int tars_ops_set_isa(const char *)');
const getIsa = library.func('const char *tars_ops_isa()');
const getDigest = library.func('const char *tars_ops_source_digest()');

/** Switches the instruction set of the process; null is the best one. False when this processor lacks it. */
export function useInstructionSet(name: string | null): boolean {
  return setIsa(name) === 1;
}

export function currentInstructionSet(): string {
  return getIsa() as string;
}

export function librarySourceDigest(): string {
  return getDigest() as string;
}

/** The instruction sets that can be tested here, the best first. */
export const instructionSets: readonly string[] = ['avx512vnni', 'avx512', 'avx2', 'neon', 'plain'].filter(useInstructionSet);
useInstructionSet(null);

export class OperatorRunner implements Disposable {
  readonly #session: Session;

  private constructor(session: Session) {
    this.#session = session;
  }

  static async create(spec: OperatorSpec, numThreads = 2): Promise<OperatorRunner> {
    const inputs = spec.inputs.flatMap((input, index) =>
      input === null
        ? []
        : [{ name: `i${index}`, type: input.type, shape: Array.from({ length: input.rank }, (_, d) => `d${index}_${d}`) }],
    );
    const model = serializeModel({
      name: 'test',
      opsets: { '': 21, tars: 1 },
      inputs,
      outputs: [{ name: 'output', type: 'float32', shape: ['rows', 'cols'] }],
      initializers: [],
      nodes: [
        {
          name: '/node',
          domain: 'tars',
          opType: spec.opType,
          inputs: spec.inputs.map((input, index) => (input === null ? '' : `i${index}`)),
          outputs: ['output'],
          attributes: spec.attributes,
        },
      ],
    });
    const options = { numThreads, operatorLibraries: [libraryPath] };
    return new OperatorRunner(await Session.create(environment, model, options));
  }

  /** One run; throws what the operator reports. */
  run(inputs: readonly (Input | null)[], outputShape: readonly [number, number]): Float32Array {
    const resources: Disposable[] = [];
    const use = <T extends Disposable>(resource: T): T => {
      resources.push(resource);
      return resource;
    };
    try {
      const binding = use(new IoBinding(this.#session));
      const copyBack: (() => void)[] = [];
      inputs.forEach((input, index) => {
        if (input === null) {
          return;
        }
        const bytes = new Uint8Array(input.data.buffer, input.data.byteOffset, input.data.byteLength);
        const memory = use(environment.allocate(bytes.length));
        const view = new Uint8Array(memory.view(), 0, bytes.length);
        view.set(bytes);
        if (input.isUpdated === true) {
          copyBack.push(() => bytes.set(view));
        }
        binding.bindInput(`i${index}`, use(environment.tensor(input.type, input.shape, memory.address)));
      });
      const numValues = outputShape[0] * outputShape[1];
      const output = use(environment.allocate(numValues * 4));
      binding.bindOutput('output', use(environment.tensor('float32', outputShape, output.address)));
      this.#session.run(binding);
      copyBack.forEach((copy) => copy());
      return new Float32Array(output.view(), 0, numValues).slice();
    } finally {
      resources.reverse().forEach((resource) => resource[Symbol.dispose]());
    }
  }

  [Symbol.dispose](): void {
    this.#session[Symbol.dispose]();
  }
}
