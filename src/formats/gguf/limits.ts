// Bounds on what a header may claim. Each says what it stops and the largest honest value known.

/** Stops a count that would loop for minutes. Honest files have 20 to 100 keys. */
export const maxMetadataKeys = 65_536;

/** Stops a count that would fill memory with tensor records. The largest honest files (experts unmerged) have about 50 000. */
export const maxTensors = 131_072;

/** Stops keys and tensor names that fill memory (65 536 keys of this size are 64 MiB). Honest names stay below 128 bytes. */
export const maxNameBytes = 1024;

/** Stops a scalar string from filling memory. Honest chat templates and licences stay below 200 kB. */
export const maxStringBytes = 16 * 1024 * 1024;

/** Stops a token or merge from filling memory, in bytes of one array element. Honest tokens stay below 1 kB. */
export const maxElementBytes = 1024 * 1024;

/** Stops an array that cannot be held once decoded. The largest honest ones (merges, scores) have about 600 000 elements. */
export const maxArrayElements = 4_194_304;

/** Stops recursion by nested arrays. No known writer nests at all; the format allows it. */
export const maxArrayDepth = 4;

/** GGML tensors have at most four dimensions. */
export const maxDimensions = 4;

/** Stops a padding that would leave the file. Honest values are 8 to 4096 bytes, 32 by default. */
export const maxAlignment = 1_048_576;

/** Stops a layer count that would list millions of missing tensors. The deepest honest models have about 130. */
export const maxLayers = 4096;

/**
 * Stops a header whose decoded values would fill memory: at worst (an array of bytes) they take eight times this. The largest
 * honest headers (vocabularies of 260 000 tokens with their merges) have about 20 MB.
 */
export const maxHeaderBytes = 64 * 1024 * 1024;
