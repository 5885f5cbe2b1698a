export type { TokenizerModel } from './model.js';
