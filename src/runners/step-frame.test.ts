import { describe, expect, it } from 'vitest';
import { decodeStepFrame, encodeStepFrame, LineSplitter, type StepFrame } from './step-frame.js';

const stats = { numRunning: 1, numWaiting: 0, numFreeBlocks: 7, numBlocks: 8, stepTokens: 1, stepDurationNs: 5 };
const logprobs = [{ token: 'a', logprob: -0.5, bytes: [97] }];

const frames: StepFrame[] = [
  { events: [], stats },
  { events: [{ id: 3, event: { kind: 'text', text: ' "the"\n…' } }], stats: undefined },
  {
    events: [
      { id: 3, event: { kind: 'text', text: 'a', logprobs } },
      { id: 4, event: { kind: 'text', text: '' } },
      { id: 5, error: { code: 'PROMPT_TOO_LONG', parameters: {} } },
      { id: 6, result: [1, 2] },
      { id: 7, result: 'text' },
    ],
    stats,
  },
];

describe('StepFrame', () => {
  it.each(frames)('comes back as it was: frame %#', (frame) => {
    const line = encodeStepFrame(frame);
    expect(line.indexOf('\n')).toBe(line.length - 1);
    expect(decodeStepFrame(line.trimEnd())).toEqual(frame);
  });
});

describe('LineSplitter', () => {
  it('finds the same lines however the bytes arrive', () => {
    const lines = frames.map((frame) => encodeStepFrame(frame));
    const bytes = Buffer.from(lines.join(''));
    for (let size = 1; size <= bytes.length; size++) {
      const splitter = new LineSplitter();
      const found: string[] = [];
      for (let start = 0; start < bytes.length; start += size) {
        found.push(...splitter.push(bytes.subarray(start, start + size)));
      }
      expect(found.map((line) => `${line}\n`)).toEqual(lines);
    }
  });
});
