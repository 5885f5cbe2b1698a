export { GrammarCompiler, type ConstraintThinking, type GrammarVocabulary } from './grammar-compiler.js';
export { jsonObjectGrammar } from './json-grammar.js';
export { schemaGrammar } from './schema/schema-grammar.js';
export { SchemaError } from './schema/schema-error.js';
export type { ThinkingTags } from './thinking-gate.js';
