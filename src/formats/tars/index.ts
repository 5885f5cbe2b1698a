export { writePackage, type WriteProgress } from './write-package.js';
export { readPackage, type TarsPackage } from './read-package.js';
export type {
  PackageMetadata,
  PackagedTensor,
  PlannedMatrix,
  PlannedTensor,
  PlannedVector,
  SourceOrder,
} from './package-plan.js';
