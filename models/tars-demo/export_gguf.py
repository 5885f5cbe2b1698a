"""Writes the trained model as tars-demo.gguf: architecture `llama`, Q8_0 matrices, F32 norms, tokenizer and chat template inside."""

import argparse
import json
from pathlib import Path

import gguf
import numpy as np
from gguf import GGMLQuantizationType as TensorType
from tokenizers import Tokenizer
from transformers import LlamaForCausalLM

from chatml import CHAT_TEMPLATE, END, END_OF_TEXT, SPECIAL_TOKENS, TAG_TOKENS

HERE = Path(__file__).resolve().parent
REPOSITORY_LICENSE = "apache-2.0"


def permute_rows(weights: np.ndarray, num_heads: int) -> np.ndarray:
    """Architecture `llama` rotates neighbouring rows of a head; transformers rotates its two halves."""
    head = weights.shape[0] // num_heads
    return weights.reshape(num_heads, 2, head // 2, -1).swapaxes(1, 2).reshape(weights.shape)


def add_hyper_parameters(writer: gguf.GGUFWriter, config) -> None:
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(config.head_dim)
    writer.add_value_length(config.head_dim)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_vocab_size(config.vocab_size)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)


def token_type(token: str) -> int:
    if token in SPECIAL_TOKENS:
        return gguf.TokenType.CONTROL
    return gguf.TokenType.USER_DEFINED if token in TAG_TOKENS else gguf.TokenType.NORMAL


def add_tokenizer(writer: gguf.GGUFWriter, tokenizer: Tokenizer) -> None:
    vocabulary = sorted(tokenizer.get_vocab().items(), key=lambda entry: entry[1])
    tokens = [token for token, _ in vocabulary]
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    writer.add_token_types([token_type(token) for token in tokens])
    writer.add_token_merges([pair if isinstance(pair, str) else " ".join(pair) for pair in merges])
    writer.add_bos_token_id(tokenizer.token_to_id(END_OF_TEXT))
    writer.add_eos_token_id(tokenizer.token_to_id(END))
    writer.add_pad_token_id(tokenizer.token_to_id(END_OF_TEXT))
    writer.add_add_bos_token(False)
    writer.add_chat_template(CHAT_TEMPLATE)


def add_tensors(writer: gguf.GGUFWriter, model: LlamaForCausalLM) -> None:
    config = model.config
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config.num_hidden_layers)
    heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}
    for name, tensor in model.state_dict().items():
        if name == "lm_head.weight":  # tied to the embedding
            continue
        weights = tensor.float().numpy()
        projection = name.split(".")[-2]
        if projection in heads:
            weights = permute_rows(weights, heads[projection])
        stored = TensorType.Q8_0 if weights.ndim == 2 else TensorType.F32
        data = gguf.quants.quantize(np.ascontiguousarray(weights), stored)
        writer.add_tensor(names.get_name(name, try_suffixes=(".weight",)), data, raw_dtype=stored)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="folder written by train.py")
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=HERE / "tars-demo.gguf")
    args = parser.parse_args()
    model = LlamaForCausalLM.from_pretrained(args.model)
    writer = gguf.GGUFWriter(args.out, "llama")
    writer.add_type("model")
    writer.add_name("tars-demo")
    writer.add_description("A very small chat model: the guide to TARS")
    writer.add_license(REPOSITORY_LICENSE)
    writer.add_languages(["en"])
    add_hyper_parameters(writer, model.config)
    add_tokenizer(writer, Tokenizer.from_file(str(args.tokenizer)))
    add_tensors(writer, model)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    print(f"{args.out.stat().st_size} bytes in {args.out}")


if __name__ == "__main__":
    main()
