import { closeSync, ftruncateSync, openSync, truncateSync, writeSync } from 'node:fs';
import os from 'node:os';
import { describe, expect, it, onTestFinished } from 'vitest';
import { array, buildGguf, type GgufSpec } from '../../../test/fixtures/build-gguf.js';
import { temporaryFile } from '../../../test/fixtures/temporary-file.js';
import { TarsError } from '../../errors/index.js';
import { GgufFile } from './gguf-file.js';

function openBytes(bytes: Uint8Array): GgufFile {
  const file = GgufFile.open(temporaryFile(bytes));
  onTestFinished(() => file.close());
  return file;
}

function open(spec: GgufSpec): GgufFile {
  return openBytes(buildGguf(spec));
}

/** What opening `bytes` throws, as "CODE message" without the path. */
function errorOf(bytes: Uint8Array): string {
  const path = temporaryFile(bytes);
  try {
    GgufFile.open(path).close();
  } catch (error) {
    return error instanceof TarsError ? `${error.code} ${error.message.replace(path, 'FILE')}` : `untyped: ${String(error)}`;
  }
  return 'no error';
}

/** A copy with some bytes replaced. */
function patched(bytes: Buffer, offset: number, patch: (copy: Buffer, at: number) => void): Buffer {
  const copy = Buffer.from(bytes);
  patch(copy, offset);
  return copy;
}

describe('GgufFile metadata', () => {
  it('reads every scalar type at its extremes', () => {
    const { metadata } = open({
      metadata: {
        u8: { type: 'uint8', value: 255 },
        i8: { type: 'int8', value: -128 },
        u16: { type: 'uint16', value: 65_535 },
        i16: { type: 'int16', value: -32_768 },
        u32: { type: 'uint32', value: 4_294_967_295 },
        i32: { type: 'int32', value: -2_147_483_648 },
        f32: { type: 'float32', value: 0.5 },
        yes: true,
        no: false,
        text: 'naïve 🙂',
        u64: { type: 'uint64', value: 2n ** 53n - 1n },
        hugeU64: { type: 'uint64', value: 2n ** 64n - 1n },
        i64: { type: 'int64', value: -(2n ** 63n) },
        f64: { type: 'float64', value: Math.PI },
      },
    });
    expect(Object.fromEntries(metadata.keys().map((key) => [key, metadata.get(key)]))).toEqual({
      u8: 255,
      i8: -128,
      u16: 65_535,
      i16: -32_768,
      u32: 4_294_967_295,
      i32: -2_147_483_648,
      f32: 0.5,
      yes: true,
      no: false,
      text: 'naïve 🙂',
      u64: Number.MAX_SAFE_INTEGER,
      hugeU64: 2n ** 64n - 1n,
      i64: -(2n ** 63n),
      f64: Math.PI,
    });
    expect(metadata.type('i16')).toBe('int16');
    expect(metadata.get('absent')).toBeUndefined();
  });

  it('reads arrays of every kind, nested and empty ones included', () => {
    const nested = { type: 'array', elementType: 'array', value: [array('uint8', [1, 2]), array('string', ['x'])] } as const;
    const long = Array.from({ length: 50_000 }, (_, i) => i - 25_000);
    const { metadata } = open({
      metadata: {
        strings: array('string', ['', 'a', 'ü']),
        bools: array('bool', [true, false]),
        big: array('uint64', [2n ** 60n, 1]),
        empty: array('string', []),
        nested,
        long: array('int32', long),
      },
    });
    expect(metadata.strings('strings')).toEqual(['', 'a', 'ü']);
    expect(metadata.get('bools')).toEqual([true, false]);
    expect(metadata.get('big')).toEqual([2n ** 60n, 1]);
    expect(metadata.strings('empty')).toEqual([]);
    expect(metadata.get('nested')).toEqual([[1, 2], ['x']]);
    expect(metadata.numbers('long')).toEqual(long);
    expect(metadata.arrayLength('long')).toBe(50_000);
    expect(metadata.elementType('nested')).toBe('array');
    expect(metadata.arrayLength('absent')).toBeUndefined();
  });

  it('refuses a value of another type than asked for, and says where it is', () => {
    const { metadata } = open({ metadata: { a: 'text', b: -1, c: array('string', ['x']) } });
    expect(() => metadata.number('a')).toThrow(/invalid at byte 37: "a" must be a number/);
    expect(() => metadata.count('b')).toThrow(/must be a non-negative integer/);
    expect(() => metadata.numbers('c')).toThrow(/must be an array of numbers/);
    expect(() => metadata.strings('a')).toThrow(/must be an array of strings/);
    expect(() => metadata.boolean('a')).toThrow(/must be a boolean/);
    expect(() => metadata.string('b')).toThrow(/must be a string/);
    expect(metadata.string('absent')).toBeUndefined();
  });

  it('refuses bad UTF-8 but accepts a genuine replacement character', () => {
    const marker = Buffer.from('@@@@');
    const bytes = buildGguf({ metadata: { text: '@@@@', honest: '\uFFFD' } });
    const { metadata } = openBytes(patched(bytes, bytes.indexOf(marker), (copy, at) => copy.writeUInt8(0xff, at)));
    expect(metadata.get('honest')).toBe('\uFFFD');
    expect(() => metadata.get('text')).toThrow(/"text" is not valid UTF-8/);
  });

  it('steps over a large vocabulary without decoding it', () => {
    const tokens = Array.from({ length: 200_000 }, (_, i) => `token ${i}`);
    const path = temporaryFile(buildGguf({ metadata: { tokens: array('string', tokens), after: 7 } }));
    const file = GgufFile.open(path);
    onTestFinished(() => file.close());
    // Decoded tokens would be 200 000 strings, about 8 MB, each time; the rest of the process adds noise to a single look.
    const growths = Array.from({ length: 5 }, () => {
      const before = process.memoryUsage().heapUsed;
      GgufFile.open(path).close();
      return process.memoryUsage().heapUsed - before;
    });
    expect(Math.min(...growths.filter((growth) => growth > 0))).toBeLessThan(4e6);
    expect(file.metadata.get('after')).toBe(7);
    expect(file.metadata.strings('tokens')).toEqual(tokens);
  });
});

describe('GgufFile tensors', () => {
  it.each([
    { version: 2, alignment: 32 },
    { version: 3, alignment: 64 },
    { version: 3, alignment: 8 },
  ])('lists tensors and reads their bytes (version $version, alignment $alignment)', ({ version, alignment }) => {
    const data = Uint8Array.from({ length: 36 }, (_, i) => i);
    const file = open({
      version,
      alignment,
      tensors: [
        { name: 'first', shape: [3], data: new Uint8Array(12) },
        { name: 'second', shape: [32, 2], type: 'Q4_0', data },
        { name: 'third', shape: [256, 2, 3], type: 'Q4_K' },
      ],
    });
    expect(file).toMatchObject({ version, alignment });
    expect(file.tensors.map(({ name, type, shape, byteLength }) => ({ name, type: type.name, shape, byteLength }))).toEqual([
      { name: 'first', type: 'F32', shape: [3], byteLength: 12 },
      { name: 'second', type: 'Q4_0', shape: [32, 2], byteLength: 36 },
      { name: 'third', type: 'Q4_K', shape: [256, 2, 3], byteLength: 864 },
    ]);
    const second = file.tensors[1];
    expect(second && (second.offset % alignment) + 0).toBe(0);
    expect(second && [...file.readBytes(second.offset, second.byteLength)]).toEqual([...data]);
  });

  it('reports a file that was shortened after it was opened', () => {
    const path = temporaryFile(buildGguf({ tensors: [{ name: 't', shape: [1000] }] }));
    const file = GgufFile.open(path);
    onTestFinished(() => file.close());
    truncateSync(path, 200);
    expect(() => file.readBytes(100, 1000)).toThrow(expect.objectContaining({ code: 'FILE_TRUNCATED' }));
    expect(() => file.readBytes(0, file.size + 1)).toThrow(expect.objectContaining({ code: 'FILE_TRUNCATED' }));
  });

  it('cannot be read after it was closed', () => {
    const file = open({ metadata: { a: 'x' } });
    file.close();
    file.close();
    expect(() => file.metadata.get('a')).toThrow(/it was closed/);
  });
});

describe('GgufFile with hostile input', () => {
  const spec: GgufSpec = {
    metadata: { name: 'model', list: array('string', ['one', 'two']), numbers: array('float32', [1, 2]) },
    tensors: [
      { name: 'tensorA', shape: [4, 2] },
      { name: 'tensorB', shape: [8], type: 'F16' },
    ],
  };
  const valid = buildGguf(spec);
  const at = (text: string): number => valid.indexOf(text);
  /** Offset of a field of a tensor's entry: numDimensions, first dimension, type, data offset. */
  const tensorField = (name: string, bytes: number): number => at(name) + name.length + bytes;
  const huge = (copy: Buffer, offset: number): number => copy.writeBigUInt64LE(2n ** 40n, offset);

  it('reports every truncation as such', () => {
    // The padding after the last tensor's 16 bytes is not needed.
    const needed = valid.length - 16;
    const path = temporaryFile(valid);
    truncateSync(path, needed);
    GgufFile.open(path).close();
    for (let length = needed - 1; length >= 0; length--) {
      truncateSync(path, length);
      expect(() => GgufFile.open(path)).toThrow(/: truncated at byte \d+: .+ needs \d+ bytes, the file has \d+ more$/);
    }
  });

  it.each<[string, Buffer, RegExp]>([
    ['another magic', patched(valid, 0, (copy) => copy.write('GGML')), /^FILE_INVALID FILE: invalid at byte 0: not a GGUF file/],
    ['version 1', patched(valid, 4, (copy, o) => copy.writeUInt32LE(1, o)), /^FORMAT_UNSUPPORTED FILE: GGUF version 1/],
    ['version 0', patched(valid, 4, (copy, o) => copy.writeUInt32LE(0, o)), /^FORMAT_UNSUPPORTED FILE: GGUF version 0/],
    ['big-endian', patched(valid, 4, (copy, o) => copy.writeUInt32BE(3, o)), /^FORMAT_UNSUPPORTED FILE: big-endian/],
    ['absurd tensor count', patched(valid, 8, huge), /^FILE_INVALID .*byte 8: 1099511627776 tensors claimed/],
    ['absurd key count', patched(valid, 16, huge), /^FILE_INVALID .*byte 16: 1099511627776 metadata keys claimed/],
    [
      'a count beyond 2^53',
      patched(valid, 8, (copy, o) => copy.writeBigUInt64LE(2n ** 64n - 1n, o)),
      /^FILE_INVALID .*number of tensors is 18446744073709551615/,
    ],
    [
      'more tensors than fit',
      patched(valid, 8, (copy, o) => copy.writeBigUInt64LE(1000n, o)),
      /^FILE_TRUNCATED .*1000 tensors needs 24000/,
    ],
    ['huge key', patched(valid, 24, huge), /^FILE_INVALID .*byte 24: metadata key 0 claims a string of 1099511627776 bytes/],
    ['huge string', patched(valid, at('model') - 8, huge), /^FILE_INVALID .*"name" claims a string of 1099511627776 bytes/],
    ['huge array', patched(valid, at('list') + 12, huge), /^FILE_INVALID .*"list" claims 1099511627776 elements/],
    [
      'an array longer than the file',
      patched(valid, at('numbers') + 15, (copy, o) => copy.writeBigUInt64LE(1_000_000n, o)),
      /^FILE_TRUNCATED .*"numbers" needs 4000000 bytes/,
    ],
    ['huge element', patched(valid, at('two') - 8, huge), /^FILE_INVALID .*"list" claims a string of/],
    [
      'unknown value type',
      patched(valid, at('model') - 12, (copy, o) => copy.writeUInt32LE(13, o)),
      /^FILE_INVALID .*"name" has the unknown value type 13/,
    ],
    ['bad UTF-8 in a key', patched(valid, at('name'), (copy, o) => copy.writeUInt8(0xc3, o)), /^FILE_INVALID .*not valid UTF-8/],
    [
      'too many dimensions',
      patched(valid, tensorField('tensorA', 0), (copy, o) => copy.writeUInt32LE(5, o)),
      /^FILE_INVALID .*tensor "tensorA" claims 5 dimensions/,
    ],
    [
      'absurd dimension',
      patched(valid, tensorField('tensorA', 4), huge),
      /^FILE_TRUNCATED .*tensor "tensorA" needs|^FILE_INVALID .*overlap/,
    ],
    [
      'dimensions that overflow',
      patched(valid, tensorField('tensorA', 4), (copy, o) => {
        copy.writeBigUInt64LE(2n ** 52n, o);
        copy.writeBigUInt64LE(2n ** 52n, o + 8);
      }),
      /^FILE_INVALID .*impossible shape \[4503599627370496, 4503599627370496\]/,
    ],
    [
      'a dimension of 0',
      patched(valid, tensorField('tensorA', 4), (copy, o) => copy.writeBigUInt64LE(0n, o)),
      /^FILE_INVALID .*impossible shape \[0, 2\]/,
    ],
    [
      'unknown tensor type',
      patched(valid, tensorField('tensorA', 20), (copy, o) => copy.writeUInt32LE(99, o)),
      /^FORMAT_UNSUPPORTED .*tensor "tensorA" has the unknown tensor type 99/,
    ],
    [
      'rows that are no whole blocks',
      patched(valid, tensorField('tensorA', 20), (copy, o) => copy.writeUInt32LE(8, o)),
      /^FILE_INVALID .*4 elements, not a multiple of the 32 in a Q8_0 block/,
    ],
    [
      'overlapping tensors',
      patched(valid, tensorField('tensorB', 16), (copy, o) => copy.writeBigUInt64LE(0n, o)),
      /^FILE_INVALID .*"tensorA" and "tensorB" overlap/,
    ],
    [
      'an offset between the alignment',
      patched(valid, tensorField('tensorB', 16), (copy, o) => copy.writeBigUInt64LE(33n, o)),
      /^FILE_INVALID .*offset 33 of tensor "tensorB" is not a multiple of the alignment 32/,
    ],
    [
      'an offset outside the file',
      patched(valid, tensorField('tensorB', 16), huge),
      /^FILE_TRUNCATED .*tensor "tensorB" needs 16 bytes/,
    ],
    [
      'duplicate tensors',
      patched(valid, at('tensorB'), (copy, o) => copy.write('tensorA', o)),
      /^FILE_INVALID .*duplicate tensor "tensorA"/,
    ],
    ['duplicate keys', buildTwins(), /^FILE_INVALID .*duplicate metadata key "twin1"/],
    ['alignment 0', buildGguf({ metadata: { 'general.alignment': 0 } }), /^FILE_INVALID .*must be a power of two/],
    ['alignment 24', buildGguf({ metadata: { 'general.alignment': 24 } }), /^FILE_INVALID .*must be a power of two.* not 24/],
    [
      'huge alignment',
      buildGguf({ metadata: { 'general.alignment': 2 ** 31 } }),
      /^FILE_INVALID .*must be a power of two up to 1048576, not 2147483648/,
    ],
    ['alignment text', buildGguf({ metadata: { 'general.alignment': 'x' } }), /^FILE_INVALID .*must be a non-negative integer/],
    ['deep nesting', buildDeepNesting(), /^FILE_INVALID .*nests arrays deeper than 4 levels/],
  ])('refuses %s', (_, bytes, expected) => {
    expect(errorOf(bytes)).toMatch(expected);
  });

  it('refuses a header that would fill memory once decoded', () => {
    const path = temporaryFile(buildGguf());
    writeHugeHeader(path);
    const before = process.memoryUsage.rss();
    expect(() => GgufFile.open(path)).toThrow(/"list16" goes beyond the 67108864 bytes that a header may have/);
    expect(process.memoryUsage.rss() - before).toBeLessThan(50e6);
  });

  it('refuses what is not a readable file', () => {
    expect(() => GgufFile.open(os.tmpdir())).toThrow(/cannot be read: not a regular file/);
    expect(() => GgufFile.open('/no/such/file.gguf')).toThrow(expect.objectContaining({ code: 'FILE_UNREADABLE' }));
  });
});

/** Gives a file twenty arrays of 4 million bytes each, which are holes on the disk. */
function writeHugeHeader(path: string): void {
  const numElements = 4_000_000;
  const file = openSync(path, 'r+');
  const numKeys = Buffer.alloc(8);
  numKeys.writeBigUInt64LE(20n);
  writeSync(file, numKeys, 0, 8, 16);
  let position = 24;
  for (let i = 0; i < 20; i++) {
    // The key and the head of the array, as a file with this array alone has them.
    const head = buildGguf({ metadata: { [`list${i}`]: array('uint8', [0]) } }).subarray(24, i < 10 ? 53 : 54);
    head.writeBigUInt64LE(BigInt(numElements), head.length - 8);
    position += writeSync(file, head, 0, head.length, position) + numElements;
  }
  ftruncateSync(file, position);
  closeSync(file);
}

function buildTwins(): Buffer {
  const bytes = buildGguf({ metadata: { twin1: 1, twin2: 2 } });
  bytes.write('twin1', bytes.indexOf('twin2'));
  return bytes;
}

function buildDeepNesting(): Buffer {
  const level1 = { type: 'array', elementType: 'array', value: [array('uint8', [1])] } as const;
  const level2 = { type: 'array', elementType: 'array', value: [level1] } as const;
  const level3 = { type: 'array', elementType: 'array', value: [level2] } as const;
  return buildGguf({ metadata: { deep: { type: 'array', elementType: 'array', value: [level3] } } });
}
