import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import {
  currentInstructionSet,
  instructionSets,
  libraryPath,
  librarySourceDigest,
  useInstructionSet,
} from './operator-runner.js';

const script = fileURLToPath(new URL('../../scripts/build-native.mjs', import.meta.url));

describe('operator library', () => {
  it('was built from the sources that are here', () => {
    const digest = execFileSync(process.execPath, [script, '--digest'], { encoding: 'utf8' }).trim();
    expect(librarySourceDigest()).toBe(digest);
    if (libraryPath.includes('prebuilt')) {
      expect(readFileSync(path.join(path.dirname(libraryPath), 'digest.txt'), 'utf8').trim()).toBe(digest);
    }
  });

  it('chooses the best instruction set, or the one that is asked for', () => {
    expect(currentInstructionSet()).toBe(instructionSets[0]);
    expect(instructionSets).toContain('plain');
    expect(useInstructionSet('mmx')).toBe(false);
    expect(currentInstructionSet()).toBe(instructionSets[0]);
    expect(useInstructionSet('plain')).toBe(true);
    expect(currentInstructionSet()).toBe('plain');
    expect(useInstructionSet(null)).toBe(true);
  });

  it('takes the instruction set from TARS_ISA', () => {
    const program = `console.log(require('koffi').load(${JSON.stringify(libraryPath)}).func('const char *tars_ops_isa()')())`;
    const run = (isa: string): string =>
      execFileSync(process.execPath, ['-e', program], { encoding: 'utf8', env: { ...process.env, TARS_ISA: isa } }).trim();
    expect(run('plain')).toBe('plain');
    expect(run('')).toBe(instructionSets[0]);
  });
});
