// Which methods a path has, for `405` with `Allow` and for redirects. Paths are literal but for `:name` segments.

/** The order in which Ollama lists them. */
const methodOrder = ['HEAD', 'GET', 'POST', 'DELETE'];

export class RouteTable {
  readonly #literal = new Map<string, Set<string>>();
  readonly #patterns: { readonly pattern: RegExp; readonly methods: Set<string> }[] = [];

  add(method: string, path: string): void {
    if (!path.includes(':')) {
      const methods = this.#literal.get(path) ?? new Set();
      this.#literal.set(path, methods.add(method));
      return;
    }
    const pattern = new RegExp(`^${path.replaceAll(/:[^/]+/g, '[^/]+')}$`);
    const known = this.#patterns.find((entry) => entry.pattern.source === pattern.source);
    if (known === undefined) {
      this.#patterns.push({ pattern, methods: new Set([method]) });
    } else {
      known.methods.add(method);
    }
  }

  /** Methods of a path, HEAD first; empty for an unknown one. */
  methods(path: string): readonly string[] {
    const methods = this.#literal.get(path) ?? this.#patterns.find(({ pattern }) => pattern.test(path))?.methods;
    return methods === undefined ? [] : methodOrder.filter((method) => methods.has(method));
  }
}
