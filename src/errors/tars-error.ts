import { errorTable, type ErrorCode } from './table.js';

export type ErrorParameters = Readonly<Record<string, string | number | bigint>>;

/** The one error class of the project: `code` indexes the table, which gives the HTTP status and the text. */
export class TarsError extends Error {
  override readonly name = 'TarsError';
  readonly code: ErrorCode;
  readonly parameters: ErrorParameters;

  constructor(code: ErrorCode, parameters: ErrorParameters = {}, options?: ErrorOptions) {
    const template: string = errorTable[code].message;
    super(
      template.replace(/\{(\w+)\}/g, (whole, key: string) => String(parameters[key] ?? whole)),
      options,
    );
    this.code = code;
    this.parameters = parameters;
  }

  get status(): number {
    return errorTable[this.code].status;
  }
}

/** The text of anything thrown, for logs and for `{reason}` parameters. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
