import { describe, expect, it } from 'vitest';
import { createLogger } from './logger.js';

function capture(isTTY: boolean): { lines: string[]; destination: { write(text: string): void; isTTY: boolean } } {
  const lines: string[] = [];
  return { lines, destination: { isTTY, write: (text) => lines.push(text) } };
}

describe('createLogger', () => {
  it('writes one JSON object a line when the destination is no terminal', () => {
    const { lines, destination } = capture(false);
    createLogger({ level: 'info', destination }).child({ request: 7 }).info({ model: 'm:latest' }, 'loaded');
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 30, request: 7, model: 'm:latest', msg: 'loaded' });
  });

  it('writes a readable single line to a terminal', () => {
    const { lines, destination } = capture(true);
    createLogger({ level: 'info', destination }).warn({ model: 'm:latest', reason: 'two words' }, 'slow');
    expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d\.\d{3} WARN {2}slow model=m:latest reason="two words"\n$/);
  });

  it('keeps prompts and credentials out', () => {
    const { lines, destination } = capture(false);
    const logger = createLogger({ level: 'info', destination });
    logger.info(
      { prompt: 'secret-1', body: { messages: 'secret-2' }, req: { headers: { authorization: 'secret-3' } } },
      'request',
    );
    expect(lines[0]).toContain('[redacted]');
    expect(lines[0]).not.toContain('secret');
  });

  it('obeys the level', () => {
    const { lines, destination } = capture(false);
    const logger = createLogger({ level: 'info', destination });
    logger.debug('quiet');
    createLogger({ level: 'debug', destination }).debug('loud');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('loud');
  });

  it('shows the stack of an error in a terminal line', () => {
    const { lines, destination } = capture(true);
    createLogger({ level: 'info', destination }).error({ err: new Error('broken') }, 'failed');
    expect(lines[0]).toContain('ERROR failed\nError: broken');
  });
});
