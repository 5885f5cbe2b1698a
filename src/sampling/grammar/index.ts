export { GrammarCompiler, type ConstraintThinking, type GrammarVocabulary } from './grammar-compiler.js';
export type { ThinkingTags } from './thinking-gate.js';
