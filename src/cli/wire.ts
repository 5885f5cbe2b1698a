// The parts of the server's answers that the command line reads.

export interface ModelDetails {
  readonly parent_model?: string;
  readonly family?: string;
  readonly parameter_size?: string;
  readonly quantization_level?: string;
}

export interface ListedModel {
  readonly name: string;
  readonly size: number;
  readonly digest: string;
  readonly modified_at: string;
  readonly remote_model?: string;
}

export interface RunningModel {
  readonly name: string;
  readonly size: number;
  readonly size_vram: number;
  readonly digest: string;
  readonly context_length?: number;
  readonly expires_at: string;
}

export interface WireMessage {
  readonly role: string;
  readonly content: string;
  readonly thinking?: string;
}

export interface ShowAnswer {
  readonly license?: string;
  readonly modelfile?: string;
  readonly parameters?: string;
  readonly template?: string;
  readonly system?: string;
  readonly details?: ModelDetails;
  readonly messages?: readonly WireMessage[];
  readonly model_info?: Readonly<Record<string, unknown>> | null;
  readonly projector_info?: Readonly<Record<string, unknown>>;
  readonly tensors?: readonly { readonly name: string; readonly type: string; readonly shape: readonly number[] }[];
  readonly capabilities?: readonly string[];
  readonly requires?: string;
  readonly remote_model?: string;
  readonly remote_host?: string;
}

/** Last line of a generation; durations in nanoseconds. */
export interface GenerationMetrics {
  readonly total_duration?: number;
  readonly load_duration?: number;
  readonly prompt_eval_count?: number;
  readonly prompt_eval_duration?: number;
  readonly eval_count?: number;
  readonly eval_duration?: number;
}

export interface GenerateLine extends GenerationMetrics {
  readonly response?: string;
  readonly thinking?: string;
  readonly done?: boolean;
}

export interface ChatLine extends GenerationMetrics {
  readonly message?: WireMessage;
  readonly done?: boolean;
}

export interface ProgressLine {
  readonly status?: string;
  readonly digest?: string;
  readonly total?: number;
  readonly completed?: number;
}
