export { errorTable, type ErrorCode } from './table.js';
export { TarsError, errorMessage, type ErrorParameters } from './tars-error.js';
