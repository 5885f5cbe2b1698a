/** Why a JSON Schema cannot be followed: the place in the schema, as a path from its root (`#/properties/a`), and the reason. */
export class SchemaError extends Error {
  constructor(path: string, reason: string) {
    super(`${path}: ${reason}`);
    this.name = 'SchemaError';
  }
}
