/**
 * Every error that a user can meet: code → HTTP status → message. `{name}` in a message is replaced by the parameter of
 * that name. Texts that Ollama's clients match on are Ollama's own, word for word.
 */
export const errorTable = {
  // requests
  MODEL_NOT_FOUND: { status: 404, message: "model '{model}' not found" },
  COPY_SOURCE_NOT_FOUND: { status: 404, message: 'model {model} not found' },
  MODEL_REQUIRED: { status: 400, message: 'model is required' },
  MODEL_NAME_INVALID: { status: 400, message: 'invalid model name' },
  BAD_REQUEST: { status: 400, message: '{reason}' },
  BODY_TOO_LARGE: { status: 413, message: 'http: request body too large' },
  CAPABILITY_MISSING: { status: 400, message: '{model} does not support {capability}' },
  OPTION_INVALID: { status: 500, message: 'option "{name}" must be {expected}' },
  FORMAT_INVALID: { status: 500, message: 'invalid format: {format}; expected "json" or a valid JSON Schema object' },
  FORMAT_SCHEMA_INVALID: { status: 400, message: 'the JSON schema in "format" cannot be followed: {reason}' },
  SERVER_CLOSING: { status: 503, message: 'server is shutting down' },
  SERVER_BUSY: { status: 503, message: 'server busy, please try again.  maximum pending requests exceeded' },
  CLIENT_TOO_SLOW: { status: 499, message: 'the client left more than {megabytes} MB of its answer unread' },
  REQUEST_CANCELED: { status: 499, message: 'request canceled' },
  INTERNAL: { status: 500, message: '{reason}' },

  // server
  LISTEN_FAILED: { status: 500, message: 'listen tcp {address}: bind: {reason}' },

  // configuration
  CONFIG_INVALID: { status: 500, message: '{name}: {reason}' },

  // model files
  FILE_UNREADABLE: { status: 500, message: '{file}: cannot be read: {reason}' },
  FILE_TRUNCATED: { status: 400, message: '{file}: truncated at byte {offset}: {reason}' },
  FILE_INVALID: { status: 400, message: '{file}: invalid at byte {offset}: {reason}' },
  FORMAT_UNSUPPORTED: { status: 400, message: '{file}: {reason}' },
  ARCHITECTURE_UNSUPPORTED: {
    status: 400,
    message: '{file}: model architecture "{architecture}" is not supported; supported: {supported}',
  },

  // tokenizer, templates, sampling
  TOKENIZER_UNSUPPORTED: { status: 400, message: 'tokenizer: {reason}' },
  TEMPLATE_REFUSED: { status: 400, message: '{reason}' },
  TEMPLATE_FAILED: { status: 500, message: '{reason}' },
  GRAMMAR_FAILED: { status: 400, message: 'the grammar of "format" cannot be followed: {reason}' },
  LOGITS_INVALID: { status: 500, message: 'the model produced no usable logits: {reason}' },

  // native libraries
  NATIVE_LIBRARY_MISSING: {
    status: 500,
    message: 'no operator library for {platform}: build it with `npm run build:native` (needs CMake and a C++17 compiler)',
  },
  PROVIDER_UNAVAILABLE: { status: 500, message: 'execution provider "{provider}" is not available: {reason}' },
  RUNTIME_FAILED: { status: 500, message: 'ONNX Runtime: {reason} (in {call}, code {code})' },

  // engine
  PROMPT_TOO_LONG: {
    status: 400,
    message:
      'the prompt is longer than the context length currently available to the model; shorten the prompt, adjust the context length in settings, or use a model with a longer context length',
  },
  CONTEXT_EXCEEDED: {
    status: 400,
    message: 'the request ({tokens} tokens) exceeds the available context size ({context} tokens), try increasing it',
  },
  RUNNER_STOPPED: {
    status: 500,
    message:
      'model runner has unexpectedly stopped, this may be due to resource limitations or an internal error, check server logs for details: {reason}',
  },
  LOAD_TIMEOUT: { status: 500, message: 'timed out waiting for model {model} to load after {seconds} s without progress' },
  OUT_OF_MEMORY: {
    status: 500,
    message:
      'model requires more system memory ({needed}) than is available ({available}); lower num_ctx or unload another model',
  },
} as const satisfies Record<string, { status: number; message: string }>;

export type ErrorCode = keyof typeof errorTable;
