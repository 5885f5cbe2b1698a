// What the server and the command line know of the model store (Ollama's folder layout) and of the embedded models.
import type { Readable } from 'node:stream';

export interface ModelName {
  readonly host: string;
  readonly namespace: string;
  readonly model: string;
  readonly tag: string;
}

/** Contents of the config blob, wire names as Ollama writes them. */
export interface ModelConfig {
  model_format: string;
  model_family: string;
  model_families?: string[] | null;
  model_type: string;
  file_type: string;
  renderer?: string;
  parser?: string;
  requires?: string;
  capabilities?: string[];
  context_length?: number;
  embedding_length?: number;
  architecture?: string;
  os?: string;
  [key: string]: unknown;
}

export interface StoredMessage {
  role: string;
  content: string;
}

export interface StoredModel {
  readonly name: ModelName;
  /** Shortest display name with tag. */
  readonly displayName: string;
  /** SHA-256 of the manifest, bare hex. */
  readonly digest: string;
  /** All layers and the config, in bytes. */
  readonly sizeBytes: number;
  readonly modifiedAt: Date;
  readonly config: ModelConfig;
  /** Path and digest (`sha256:…`) of the weights layer. */
  readonly weightsPath: string;
  readonly weightsDigest: string;
  readonly template?: string;
  readonly system?: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly messages: readonly StoredMessage[];
  readonly licenses: readonly string[];
  /** Name of the model it was created from, if any. */
  readonly parentModel: string;
  /** True for a model shipped inside the package, which cannot be deleted. */
  readonly isEmbedded: boolean;
}

/** Body of POST /api/create after validation. */
export interface CreateRequest {
  readonly name: ModelName;
  readonly from?: ModelName;
  /** Relative file name → `sha256:…` of an uploaded blob. */
  readonly files?: Readonly<Record<string, string>>;
  readonly template?: string;
  readonly system?: string;
  readonly licenses?: readonly string[];
  readonly parameters?: Readonly<Record<string, unknown>>;
  readonly messages?: readonly StoredMessage[];
  readonly quantize?: string;
  readonly renderer?: string;
  readonly parser?: string;
  readonly requires?: string;
}

export interface ProgressStatus {
  readonly status: string;
  readonly digest?: string;
  readonly total?: number;
  readonly completed?: number;
}

export interface ModelStore {
  /** Parsed and case-corrected model, or undefined when it is not stored. */
  get(name: ModelName): Promise<StoredModel | undefined>;
  /** All models, newest first; unreadable manifests are skipped and logged. */
  list(): Promise<readonly StoredModel[]>;
  create(request: CreateRequest, onProgress: (status: ProgressStatus) => void, signal: AbortSignal): Promise<void>;
  copy(source: ModelName, destination: ModelName): Promise<void>;
  /** Removes the manifest and every blob that no other manifest names. Throws MODEL_NOT_FOUND. */
  delete(name: ModelName): Promise<void>;
  hasBlob(digest: string): Promise<boolean>;
  blobPath(digest: string): string;
  /** Stores a blob and checks its digest while it streams; throws BAD_REQUEST with Ollama's "digest mismatch" text. */
  putBlob(digest: string, body: Readable): Promise<void>;
}
