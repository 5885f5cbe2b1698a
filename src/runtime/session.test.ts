import { afterAll, describe, expect, it } from 'vitest';
import { TarsError } from '../errors/index.js';
import { Environment, IoBinding, RunOptions, Session, availableProviders } from './index.js';

/** ModelProto of `y = x + x` over float32 [n], assembled by hand so that this folder needs no graph writer. */
function doublingModel(opType = 'Add'): Uint8Array {
  const field = (id: number, body: readonly number[]): number[] => [(id << 3) | 2, body.length, ...body];
  const text = (value: string): number[] => [...Buffer.from(value)];
  const value = (name: string): number[] => [
    ...field(1, text(name)),
    ...field(2, field(1, [0x08, 1, ...field(2, field(1, field(2, text('n'))))])),
  ];
  const node = [...field(1, text('x')), ...field(1, text('x')), ...field(2, text('y')), ...field(4, text(opType))];
  const graph = [...field(1, node), ...field(2, text('g')), ...field(11, value('x')), ...field(12, value('y'))];
  return Uint8Array.from([0x08, 10, ...field(7, graph), ...field(8, [0x10, 21])]);
}

describe('Session', () => {
  const environment = new Environment();
  afterAll(() => environment[Symbol.dispose]());

  it('reports the version and the CPU provider of the library', () => {
    expect(environment.library.version).toMatch(/^1\.\d+\.\d+/);
    expect(availableProviders(environment.library)).toContain('CPUExecutionProvider');
  });

  it('describes inputs and outputs, and runs over caller memory, blocking and not', async () => {
    using session = await Session.create(environment, doublingModel(), { numThreads: 1 });
    expect(session.inputs).toEqual([{ name: 'x', type: 'float32', shape: [-1] }]);
    using input = environment.allocate(12);
    using output = environment.allocate(12);
    using binding = new IoBinding(session);
    using x = environment.tensor('float32', [3], input.address);
    using y = environment.tensor('float32', [3], output.address);
    binding.bindInput('x', x);
    binding.bindOutput('y', y);
    new Float32Array(input.view(), 0, 3).set([1, 2, 3]);
    session.run(binding);
    expect([...new Float32Array(output.view(), 0, 3)]).toEqual([2, 4, 6]);
    new Float32Array(input.view(), 0, 3).set([4, 5, 6]);
    await session.runAsync(binding);
    expect([...new Float32Array(output.view(), 0, 3)]).toEqual([8, 10, 12]);
  });

  it('turns a failed status into a typed error with the message of ONNX Runtime', async () => {
    const failure = Session.create(environment, doublingModel('NoSuchOperator'), { numThreads: 1 });
    await expect(failure).rejects.toThrow(TarsError);
    await expect(failure).rejects.toThrow(/NoSuchOperator/);
  });

  it('ends a run whose options were terminated', async () => {
    using session = await Session.create(environment, doublingModel(), { numThreads: 1 });
    using memory = environment.allocate(8);
    using tensor = environment.tensor('float32', [2], memory.address);
    using binding = new IoBinding(session);
    using options = new RunOptions(environment.library);
    binding.bindInput('x', tensor);
    binding.bindOutput('y', tensor);
    options.terminate();
    expect(() => session.run(binding, options)).toThrow(/terminate/i);
    options.reset();
    expect(() => session.run(binding, options)).not.toThrow();
  });

  it('names the missing CUDA provider library', async () => {
    const failure = Session.create(environment, doublingModel(), { numThreads: 1, provider: 'cuda' });
    await expect(failure).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE' });
  });
});
