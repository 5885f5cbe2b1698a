import type { KernelType } from '../../quant/index.js';
import type { HyperParameters } from '../tensor-source.js';
import type { TokenizerModel } from '../../tokenizer/index.js';

/** How the sources of a packed matrix follow one another: one after the other, or in alternating groups of 16 rows. */
export type SourceOrder = 'concatenated' | 'alternating';

/** A matrix of the package: rows of one or several source tensors in one kernel layout. */
export interface PlannedMatrix {
  readonly kind: 'matrix';
  readonly name: string;
  readonly type: KernelType;
  /** Names of source tensors, each [rows, columns] with the same number of columns. */
  readonly sources: readonly string[];
  readonly order: SourceOrder;
}

/** A small tensor kept as plain float32: norms, biases. Several sources are concatenated. */
export interface PlannedVector {
  readonly kind: 'vector';
  readonly name: string;
  readonly sources: readonly string[];
}

export type PlannedTensor = PlannedMatrix | PlannedVector;

/** A matrix or vector as the package holds it. */
export interface PackagedTensor {
  readonly name: string;
  readonly kind: 'matrix' | 'vector';
  readonly type: KernelType;
  readonly numRows: number;
  readonly numCols: number;
  /** Absolute offset in the file, a multiple of 64 for matrices. */
  readonly offset: number;
  readonly byteLength: number;
}

/** What a package says of its model, beside the tensors. */
export interface PackageMetadata {
  readonly recipe: string;
  readonly sourceDigest: string;
  readonly hyperParameters: HyperParameters;
  readonly tokenizer: TokenizerModel;
  readonly chatTemplate?: string;
}
