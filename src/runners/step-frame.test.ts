import { describe, expect, it } from 'vitest';
import { decodeStepFrame, encodeStepFrame, type StepFrame, type StepMessage } from './step-frame.js';

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
    const sent = JSON.stringify(encodeStepFrame(frame));
    expect(decodeStepFrame(JSON.parse(sent) as StepMessage)).toEqual(frame);
  });
});
