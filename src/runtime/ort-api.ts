// The members of ONNX Runtime's C API that this project calls. `OrtApi` is an append-only table of function pointers, so an
// index is stable across versions (onnxruntime_c_api.h, API version 30).

/** A native address; 0n or null is NULL. */
export type Pointer = bigint | null;

/** ORT API version asked for; older libraries answer NULL to it. */
export const ortApiVersion = 30;

/** Member → [index in OrtApi, C prototype]. A prototype without a result returns `OrtStatus*` (NULL means success). */
export const ortApiMembers = {
  GetErrorCode: [1, 'int (void *status)'],
  GetErrorMessage: [2, 'const char *(void *status)'],
  CreateEnv: [3, '(int severity, const char *id, _Out_ void **out)'],
  CreateSessionFromArray: [8, '(void *env, const void *model, size_t length, void *options, _Out_ void **out)'],
  CreateSessionOptions: [10, '(_Out_ void **out)'],
  SetSessionExecutionMode: [13, '(void *options, int mode)'],
  EnableProfiling: [14, '(void *options, const char *prefix)'],
  DisableMemPattern: [17, '(void *options)'],
  DisableCpuMemArena: [19, '(void *options)'],
  SetSessionLogSeverityLevel: [22, '(void *options, int level)'],
  SetSessionGraphOptimizationLevel: [23, '(void *options, int level)'],
  SetIntraOpNumThreads: [24, '(void *options, int count)'],
  SetInterOpNumThreads: [25, '(void *options, int count)'],
  SessionGetInputCount: [30, '(void *session, _Out_ size_t *out)'],
  SessionGetOutputCount: [31, '(void *session, _Out_ size_t *out)'],
  SessionGetInputTypeInfo: [33, '(void *session, size_t index, _Out_ void **out)'],
  SessionGetOutputTypeInfo: [34, '(void *session, size_t index, _Out_ void **out)'],
  SessionGetInputName: [36, '(void *session, size_t index, void *allocator, _Out_ void **out)'],
  SessionGetOutputName: [37, '(void *session, size_t index, void *allocator, _Out_ void **out)'],
  CreateRunOptions: [39, '(_Out_ void **out)'],
  RunOptionsSetTerminate: [46, '(void *options)'],
  RunOptionsUnsetTerminate: [47, '(void *options)'],
  CreateTensorWithDataAsOrtValue: [
    49,
    '(void *info, void *data, size_t bytes, const int64_t *shape, size_t rank, int type, _Out_ void **out)',
  ],
  GetTensorMutableData: [51, '(void *value, _Out_ void **out)'],
  CastTypeInfoToTensorInfo: [55, '(void *info, _Out_ void **out)'],
  GetTensorElementType: [60, '(void *info, _Out_ int *out)'],
  GetDimensionsCount: [61, '(void *info, _Out_ size_t *out)'],
  GetDimensions: [62, '(void *info, _Out_ int64_t *dims, size_t count)'],
  GetTensorTypeAndShape: [65, '(void *value, _Out_ void **out)'],
  CreateCpuMemoryInfo: [69, '(int allocator, int memory, _Out_ void **out)'],
  AllocatorAlloc: [75, '(void *allocator, size_t bytes, _Out_ void **out)'],
  AllocatorFree: [76, '(void *allocator, void *memory)'],
  GetAllocatorWithDefaultOptions: [78, '(_Out_ void **out)'],
  ReleaseEnv: [92, 'void (void *env)'],
  ReleaseStatus: [93, 'void (void *status)'],
  ReleaseMemoryInfo: [94, 'void (void *info)'],
  ReleaseSession: [95, 'void (void *session)'],
  ReleaseValue: [96, 'void (void *value)'],
  ReleaseRunOptions: [97, 'void (void *options)'],
  ReleaseTypeInfo: [98, 'void (void *info)'],
  ReleaseTensorTypeAndShapeInfo: [99, 'void (void *info)'],
  ReleaseSessionOptions: [100, 'void (void *options)'],
  SessionEndProfiling: [110, '(void *session, void *allocator, _Out_ void **out)'],
  GetAvailableProviders: [125, '(_Out_ void **out, _Out_ int *count)'],
  ReleaseAvailableProviders: [126, '(void *providers, int count)'],
  AddSessionConfigEntry: [130, '(void *options, const char *key, const char *value)'],
  RunWithBinding: [133, '(void *session, void *options, void *binding)'],
  CreateIoBinding: [134, '(void *session, _Out_ void **out)'],
  ReleaseIoBinding: [135, 'void (void *binding)'],
  BindInput: [136, '(void *binding, const char *name, void *value)'],
  BindOutput: [137, '(void *binding, const char *name, void *value)'],
  ClearBoundInputs: [141, 'void (void *binding)'],
  ClearBoundOutputs: [142, 'void (void *binding)'],
  SessionOptionsAppendExecutionProvider_CUDA_V2: [204, '(void *options, void *cuda)'],
  CreateCUDAProviderOptions: [205, '(_Out_ void **out)'],
  UpdateCUDAProviderOptions: [206, '(void *cuda, const char **keys, const char **values, size_t count)'],
  ReleaseCUDAProviderOptions: [208, 'void (void *cuda)'],
  SessionOptionsAppendExecutionProvider: [
    216,
    '(void *options, const char *name, const char **keys, const char **values, size_t count)',
  ],
  RegisterCustomOpsLibrary_V2: [228, '(void *options, const char *path)'],
} as const satisfies Record<string, readonly [number, string]>;

export type OrtApiMember = keyof typeof ortApiMembers;

/** Number of members that must be decoded from the table: the highest index used, plus one. */
export const ortApiLength = Math.max(...Object.values(ortApiMembers).map(([index]) => index)) + 1;
