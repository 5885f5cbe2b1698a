import { describeGguf, GgufFile } from '../formats/gguf/index.js';
import type { WeightsFacts } from './weights.js';

/** Facts of a GGUF file for the config blob; reads its header only. Throws what `GgufFile.open` throws. */
export async function describeGgufWeights(filePath: string): Promise<WeightsFacts> {
  const file = GgufFile.open(filePath);
  try {
    const { architecture, parameterCount, fileTypeName, contextLength, embeddingLength } = describeGguf(file);
    return { format: 'gguf', family: architecture, parameterCount, fileType: fileTypeName, contextLength, embeddingLength };
  } finally {
    file.close();
  }
}
