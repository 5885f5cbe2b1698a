// The `details` object of tags, ps and show.
import type { ModelDetails } from '../api/index.js';
import type { StoredModel } from '../registry/index.js';

/** Keys in wire order. `fileType` is what the weights say, for a config that says nothing. */
export function modelDetails({ config, parentModel }: StoredModel, fileType?: string): ModelDetails {
  const isLevelKnown = config.file_type !== '' && config.file_type !== 'unknown';
  return {
    parent_model: parentModel,
    format: config.model_format,
    family: config.model_family,
    families: config.model_families ?? null,
    parameter_size: config.model_type,
    quantization_level: isLevelKnown ? config.file_type : (fileType ?? config.file_type),
  };
}

/** Details of a loaded model that is not stored any more. */
export const unknownDetails: ModelDetails = {
  parent_model: '',
  format: '',
  family: '',
  families: null,
  parameter_size: '',
  quantization_level: '',
};
