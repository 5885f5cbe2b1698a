import type { Reporter, TestModule } from 'vitest/node';

/** Names every skipped test, and ends the output with one plain line of totals. */
export default class ClosingLineReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const totals = { passed: 0, failed: 0, skipped: 0, pending: 0 };
    const skipped: string[] = [];
    for (const module of modules) {
      if (module.errors().length > 0) {
        totals.failed += 1;
      }
      for (const test of module.children.allTests()) {
        const state = test.result().state;
        totals[state] += 1;
        if (state === 'skipped') {
          skipped.push(`skipped: ${module.relativeModuleId} > ${test.fullName}`);
        }
      }
    }
    const skippedText = totals.skipped > 0 ? `, ${totals.skipped} skipped` : '';
    process.stdout.write(`${[...skipped, `${totals.passed} passed, ${totals.failed} failed${skippedText}`].join('\n')}\n`);
  }
}
