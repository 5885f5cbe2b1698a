"""Trains the byte-level BPE tokenizer of tars-demo (Qwen2's pre-tokenizer: digits stand alone) on the generated chats.

A word is cut the same way with and without a space before it, so that copying ` Oslo` as `"Oslo` is copying tokens: the merges
are learned on words without their space, and the space joins the most frequent first pieces only after that.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from itertools import islice
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from chatml import SPECIAL_TOKENS, TAG_TOKENS, training_pieces

# llama.cpp and Transformers know this expression under the name "qwen2".
QWEN2_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
SPACE = "\u0120"  # how byte-level BPE writes a space
CHATS_READ = 60_000


def build_tokenizer(model: models.BPE, is_space_apart: bool) -> Tokenizer:
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.NFC()
    steps = [
        pre_tokenizers.Split(Regex(QWEN2_SPLIT), behavior="isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ]
    if is_space_apart:
        steps.append(pre_tokenizers.Split(Regex(f"^{SPACE}"), behavior="isolated"))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(steps)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def texts(chats: Path):
    """The text of a part of the chats, without the marks that are tokens of their own."""
    marks = re.compile("|".join(map(re.escape, SPECIAL_TOKENS + TAG_TOKENS)))
    with chats.open() as file:
        for line in islice(file, CHATS_READ):
            head, branches = training_pieces(json.loads(line))
            yield from marks.split(head + "".join(text for pieces in branches for text, _ in pieces))


def frequent_first_pieces(tokenizer: Tokenizer, chats: Path, count: int) -> list[str]:
    """The tokens that most often follow a space inside a word's piece of text."""
    seen: Counter[str] = Counter()
    for text in islice(texts(chats), CHATS_READ):
        tokens = tokenizer.encode(text, add_special_tokens=False).tokens
        seen.update(piece for space, piece in zip(tokens, tokens[1:]) if space == SPACE and not piece.startswith((SPACE, "\u010a")) and not piece.isdigit())
    return [piece for piece, _ in seen.most_common(count)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chats", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--vocabulary", type=int, default=4092)
    parser.add_argument("--with-space", type=int, default=1300, help="tokens that begin with a space")
    args = parser.parse_args()
    apart = build_tokenizer(models.BPE(), is_space_apart=True)
    trainer = trainers.BpeTrainer(
        vocab_size=args.vocabulary - args.with_space,
        min_frequency=8,  # rarer pieces come from misspellings and made-up words
        special_tokens=SPECIAL_TOKENS,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    apart.train_from_iterator(texts(args.chats), trainer)
    learned = json.loads(apart.to_str())["model"]
    vocabulary, merges = learned["vocab"], [tuple(merge) for merge in learned["merges"]]
    for piece in frequent_first_pieces(apart, args.chats, args.with_space):
        vocabulary[SPACE + piece] = len(vocabulary)
        merges.append((SPACE, piece))
    tokenizer = build_tokenizer(models.BPE(vocabulary, merges), is_space_apart=False)
    tokenizer.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in SPECIAL_TOKENS])
    tokenizer.add_tokens([AddedToken(tag, normalized=False) for tag in TAG_TOKENS])
    args.out.parent.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(args.out))
    print(f"{tokenizer.get_vocab_size()} tokens in {args.out}")


if __name__ == "__main__":
    main()
