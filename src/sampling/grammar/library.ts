// The only door to XGrammar (WebAssembly). Its package says that it is an ES module but holds a UMD bundle, which works only
// when it is loaded as CommonJS.
import { readFileSync } from 'node:fs';
import { createRequire, Module } from 'node:module';
import type * as Library from '@mlc-ai/web-xgrammar';

export type XGrammar = typeof Library;

interface CommonJsModule {
  readonly exports: XGrammar;
  _compile(code: string, file: string): void;
}

let loaded: XGrammar | undefined;

export function loadXGrammar(): XGrammar {
  if (loaded === undefined) {
    const file = createRequire(import.meta.url).resolve('@mlc-ai/web-xgrammar');
    const module = new Module(file) as unknown as CommonJsModule;
    module._compile(readFileSync(file, 'utf8'), file);
    loaded = module.exports;
  }
  return loaded;
}
