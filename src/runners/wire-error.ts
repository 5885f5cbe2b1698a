import { TarsError, errorMessage, errorTable } from '../errors/index.js';
import type { WireError } from './protocol.js';

export function toWire(error: unknown): WireError {
  return error instanceof TarsError
    ? { code: error.code, parameters: error.parameters }
    : { code: 'INTERNAL', parameters: { reason: errorMessage(error) } };
}

export function fromWire(error: WireError): TarsError {
  return new TarsError(error.code in errorTable ? error.code : 'INTERNAL', error.parameters);
}
