// Every environment variable that is read, in the order of docs/configuration.md (a test compares the two).

export interface ConfigVariable {
  readonly name: string;
  /** Default as the documentation prints it. */
  readonly default: string;
  readonly meaning: string;
}

export const configTable = [
  {
    name: 'OLLAMA_HOST',
    default: '127.0.0.1:11434',
    meaning: 'Address to listen on, and the server that the command line talks to: host, host:port, :port, [v6]:port or a URL.',
  },
  { name: 'OLLAMA_MODELS', default: '~/.ollama/models', meaning: 'Folder of manifests and blobs, in the layout of Ollama.' },
  {
    name: 'OLLAMA_KEEP_ALIVE',
    default: '5m',
    meaning: 'How long a model stays loaded after its last request: a duration (10m), seconds (600), or negative for ever.',
  },
  {
    name: 'OLLAMA_CONTEXT_LENGTH',
    default: '0',
    meaning: 'Context length in tokens when neither the request nor the model names one; 0 means 4096.',
  },
  {
    name: 'OLLAMA_NUM_PARALLEL',
    default: '0',
    meaning: 'Most requests that one model answers in the same batch; 0 means 32, within the cache.',
  },
  { name: 'OLLAMA_MAX_LOADED_MODELS', default: '0', meaning: 'Most models loaded at once; 0 means 3 for each GPU, at least 3.' },
  { name: 'OLLAMA_MAX_QUEUE', default: '512', meaning: 'Most requests that wait for a model to load; more are answered 503.' },
  {
    name: 'OLLAMA_LOAD_TIMEOUT',
    default: '5m',
    meaning: 'How long loading a model may go without progress; 0 or negative waits for ever.',
  },
  { name: 'OLLAMA_ORIGINS', default: '', meaning: 'Comma list of further browser origins that may call the server; one * each.' },
  { name: 'OLLAMA_DEBUG', default: '0', meaning: 'Log level: 1 or true for debug, 2 for trace.' },
  {
    name: 'OLLAMA_KV_CACHE_TYPE',
    default: 'f16',
    meaning: 'Type of the KV cache: f16, q8_0 (53 % of its bytes) or q4_0 (28 %); f16 where a head is no multiple of 32.',
  },
  { name: 'OLLAMA_NOPRUNE', default: 'false', meaning: 'Keeps unreferenced blobs when the server starts.' },
  { name: 'OLLAMA_NOHISTORY', default: 'false', meaning: 'Does not save what is typed at the interactive prompt.' },
  {
    name: 'OLLAMA_GO_TEMPLATE',
    default: '',
    meaning: "Whether a model's TEMPLATE wins over the chat template in its weights: 1, 0, or empty to choose the abler one.",
  },
  { name: 'OLLAMA_NO_CLOUD', default: 'false', meaning: 'Reports cloud features as disabled.' },
  {
    name: 'TARS_CACHE_DIR',
    default: '$XDG_CACHE_HOME/tars or ~/.cache/tars',
    meaning: 'Folder of prepared weights (.tars) and other files that can be made again.',
  },
  {
    name: 'TARS_NUM_THREADS',
    default: '0',
    meaning: 'Threads of one model on the CPU; 0 means one for each core that the process may use.',
  },
  {
    name: 'TARS_PROVIDER',
    default: 'auto',
    meaning: 'Execution provider: auto or cpu; this version refuses to load models with cuda or webgpu.',
  },
  { name: 'TARS_NATIVE_LIBRARY', default: '', meaning: 'Path of the operator library, instead of the one in the package.' },
  {
    name: 'TARS_ISA',
    default: '',
    meaning: 'Instruction set of the CPU kernels, instead of the best one that the processor has.',
  },
  {
    name: 'TARS_MAX_MEMORY',
    default: '0',
    meaning: 'Memory budget of all loaded models, in bytes; 0 means 80 % of what the machine has.',
  },
] as const satisfies readonly ConfigVariable[];

export type ConfigVariableName = (typeof configTable)[number]['name'];
