import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** As many lines as Ollama keeps in the same file. */
const maxLines = 100;

/** What was typed at the prompt, newest last. A file that cannot be read or written only means no history. */
export class HistoryFile {
  readonly #path: string;
  #isEnabled: boolean;

  constructor(filePath: string, isEnabled: boolean) {
    this.#path = filePath;
    this.#isEnabled = isEnabled;
  }

  setEnabled(isEnabled: boolean): void {
    this.#isEnabled = isEnabled;
  }

  lines(): readonly string[] {
    if (!this.#isEnabled) {
      return [];
    }
    try {
      return readFileSync(this.#path, 'utf8')
        .split('\n')
        .filter((line) => line.trim() !== '')
        .slice(-maxLines);
    } catch {
      return [];
    }
  }

  add(line: string): void {
    if (!this.#isEnabled || line.trim() === '') {
      return;
    }
    const lines = [...this.lines(), line].slice(-maxLines);
    try {
      mkdirSync(path.dirname(this.#path), { recursive: true });
      writeFileSync(this.#path, `${lines.join('\n')}\n`, { mode: 0o600 });
    } catch {
      this.#isEnabled = false;
    }
  }
}
