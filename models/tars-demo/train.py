"""Trains tars-demo from scratch: a small Llama with tied embeddings on packed chats, on the CPU or on CUDA if there is one.

What the assistant writes counts fully; of all other tokens a random tenth is predicted too. The learning rate is constant
after a warm-up and falls to zero over the last steps, so a stopped run may go on with another number of steps.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import LlamaConfig, LlamaForCausalLM

from chatml import END, END_OF_TEXT, training_pieces

CONTEXT = 1024
SHORT_ROW = 512
OTHER_TOKENS_SHARE = 0.1
DECAY_SHARE = 0.4
WARM_UP_STEPS = 60
LONG_ROWS_EVERY = 12
CHECKPOINT_EVERY_STEPS = 100


def model_config(tokenizer: Tokenizer) -> LlamaConfig:
    return LlamaConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=256,
        intermediate_size=832,
        num_hidden_layers=6,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=64,
        max_position_embeddings=CONTEXT,
        rms_norm_eps=1e-5,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
        tie_word_embeddings=True,
        bos_token_id=tokenizer.token_to_id(END_OF_TEXT),
        eos_token_id=tokenizer.token_to_id(END),
    )


@dataclass
class Encoded:
    """A chat's tokens: ids, whether each is the assistant's, its branch (0: the head, which all branches see) and position."""

    ids: list[int]
    wanted: list[bool]
    branches: list[int]
    positions: list[int]


class Rows:
    """Packed chats, [rows, length] each: token ids, whether each token is the assistant's, its chat, its branch of the chat,
    its position there."""

    def __init__(self, length: int, padding: int) -> None:
        self.length = length
        self.padding = padding
        self.parts: list[tuple[np.ndarray, ...]] = []
        self.clear()

    def clear(self) -> None:
        length = self.length
        self.ids = np.full(length, self.padding, np.int16)
        self.wanted = np.zeros(length, bool)
        self.owner, self.branch, self.position = np.full(length, -1, np.int16), np.zeros(length, np.int16), np.zeros(length, np.int16)
        self.used = 0
        self.number = 0

    def add(self, chat: Encoded) -> None:
        if self.used + len(chat.ids) > self.length:
            self.close()
        end = self.used + len(chat.ids)
        here = slice(self.used, end)
        self.ids[here], self.wanted[here], self.owner[here] = chat.ids, chat.wanted, self.number
        self.branch[here], self.position[here] = chat.branches, chat.positions
        self.used, self.number = end, self.number + 1

    def close(self) -> None:
        if self.used:
            self.parts.append((self.ids, self.wanted, self.owner, self.branch, self.position))
        self.clear()

    def tensors(self) -> tuple[torch.Tensor, ...]:
        self.close()
        return tuple(torch.from_numpy(np.stack(column)) for column in zip(*self.parts))


def encode_chats(tokenizer: Tokenizer, chats: list[dict]) -> Iterator[Encoded]:
    split = [training_pieces(chat) for chat in chats]
    texts = [text for head, branches in split for text in (head, *(text for pieces in branches for text, _ in pieces))]
    encoded = iter(tokenizer.encode_batch(texts, add_special_tokens=False))
    for _, branches in split:
        head = next(encoded).ids
        chat = Encoded(list(head), [False] * len(head), [0] * len(head), list(range(len(head))))
        for number, pieces in enumerate(branches, 1):
            position = len(head)
            for _, is_wanted in pieces:
                ids = next(encoded).ids
                chat.ids += ids
                chat.wanted += [is_wanted] * len(ids)
                chat.branches += [number] * len(ids)
                chat.positions += range(position, position + len(ids))
                position += len(ids)
        yield chat


def pack_chats(tokenizer: Tokenizer, path: Path) -> tuple[tuple[torch.Tensor, ...], tuple[torch.Tensor, ...]]:
    """Rows of SHORT_ROW and, for the longer chats, of CONTEXT tokens. Chats beyond the context are left out."""
    padding = tokenizer.token_to_id(END_OF_TEXT)
    short, long = Rows(SHORT_ROW, padding), Rows(CONTEXT, padding)
    with path.open() as file:
        while batch := [json.loads(line) for _, line in zip(range(4096), file)]:
            for chat in encode_chats(tokenizer, batch):
                if len(chat.ids) <= CONTEXT:
                    (short if len(chat.ids) <= SHORT_ROW else long).add(chat)
    return short.tensors(), long.tensors()


def visible(owners: torch.Tensor, branches: torch.Tensor) -> torch.Tensor:
    """[rows, 1, tokens, tokens], true where a token may look: back, at its own chat's head and its own branch only."""
    length = owners.shape[1]
    causal = torch.ones(length, length, dtype=torch.bool, device=owners.device).tril()
    same_branch = (branches[:, :, None] == branches[:, None, :]) | (branches[:, None, :] == 0)
    return ((owners[:, :, None] == owners[:, None, :]) & same_branch & causal)[:, None]


def build_optimizers(model: LlamaForCausalLM, learning_rate: float) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside the layers, for progress in few steps; AdamW for the embedding and the norms."""
    matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and "embed" not in name]
    others = [p for name, p in model.named_parameters() if p.ndim != 2 or "embed" in name]
    return [
        torch.optim.Muon(matrices, lr=learning_rate, weight_decay=0.1, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(others, lr=learning_rate, betas=(0.9, 0.98), weight_decay=0.0),
    ]


def learning_rate_factor(step: int, steps: int) -> float:
    decay = max(1, round(steps * DECAY_SHARE))
    return min((step + 1) / WARM_UP_STEPS, 1.0, (steps - step) / decay)


class Trainer:
    def __init__(self, args: argparse.Namespace) -> None:
        torch.manual_seed(args.seed)
        if args.threads:
            torch.set_num_threads(args.threads)
        self.args = args
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        tokenizer = Tokenizer.from_file(str(args.tokenizer))
        self.model = LlamaForCausalLM(model_config(tokenizer)).to(self.device)
        self.body = torch.compile(self.model.model, dynamic=False) if args.compile else self.model.model
        self.optimizers = build_optimizers(self.model, args.learning_rate)
        self.short, self.long = pack_chats(tokenizer, args.chats)
        order = torch.Generator().manual_seed(args.seed)
        self.short_order = torch.randperm(len(self.short[0]), generator=order)
        self.long_order = torch.randperm(len(self.long[0]), generator=order)
        self.step = 0
        self.seconds = 0.0
        self.loss = math.nan
        self.checkpoint = args.out / "checkpoint.pt"

    def resume(self) -> None:
        if self.checkpoint.exists():
            state = torch.load(self.checkpoint, map_location=self.device)
            self.model.load_state_dict(state["model"])
            for optimizer, saved in zip(self.optimizers, state["optimizers"]):
                optimizer.load_state_dict(saved)
            self.step, self.seconds, self.loss = state["step"], state["seconds"], state["loss"]
            print(f"goes on from step {self.step} after {self.seconds / 60:.1f} min", flush=True)

    def save(self) -> None:
        state = {
            "model": self.model.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "step": self.step,
            "seconds": self.seconds,
            "loss": self.loss,
        }
        partial = self.checkpoint.with_suffix(".part")
        torch.save(state, partial)
        partial.replace(self.checkpoint)
        self.model.save_pretrained(self.args.out / "model")

    def batch(self) -> tuple[torch.Tensor, ...]:
        is_long = self.step % LONG_ROWS_EVERY == LONG_ROWS_EVERY - 1
        data, order = (self.long, self.long_order) if is_long else (self.short, self.short_order)
        rows = self.args.tokens // data[0].shape[1]
        # Steps of the other kind leave gaps, so that no row comes again before all have been seen.
        first = (self.step // LONG_ROWS_EVERY if is_long else self.step - self.step // LONG_ROWS_EVERY) * rows
        at = order[[(first + i) % len(order) for i in range(rows)]]
        return tuple(t[at].to(self.device) for t in data)

    def batch_loss(self) -> torch.Tensor:
        ids, wanted, owners, branches, positions = self.batch()
        ids = ids.long()
        chosen = wanted | ((owners >= 0) & (torch.rand(ids.shape, device=self.device) < OTHER_TOKENS_SHARE))
        # The token before does not predict the first one of a chat, nor that of a branch after the first.
        chosen[:, 1:] &= positions[:, 1:] == positions[:, :-1] + 1
        with torch.autocast(self.device, dtype=torch.bfloat16):
            hidden = self.body(input_ids=ids, position_ids=positions.long(), attention_mask=visible(owners, branches), use_cache=False).last_hidden_state
            logits = self.model.lm_head(hidden[:, :-1][chosen[:, 1:]])
        return torch.nn.functional.cross_entropy(logits.float(), ids[:, 1:][chosen[:, 1:]])

    def train_step(self) -> float:
        factor = learning_rate_factor(self.step, self.args.steps)
        loss = self.batch_loss()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = self.args.learning_rate * factor
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        return loss.item()

    def run(self) -> None:
        parameters = sum(p.numel() for p in self.model.parameters())
        print(f"{parameters} parameters, {len(self.short[0])} rows of {SHORT_ROW} and {len(self.long[0])} of {CONTEXT} tokens, {self.device}", flush=True)
        self.model.train()
        losses: list[float] = []
        while self.step < min(self.args.steps, self.args.stop_at):
            started = time.monotonic()
            losses.append(self.train_step())
            self.step += 1
            self.seconds += time.monotonic() - started
            if self.step % 20 == 0:
                self.loss = sum(losses) / len(losses)
                losses = []
                rate = self.step * self.args.tokens / self.seconds
                print(f"step {self.step} loss {self.loss:.3f} {rate:.0f} tok/s {self.seconds / 60:.1f} min", flush=True)
            if self.step % CHECKPOINT_EVERY_STEPS == 0:
                self.save()
        self.save()
        summary = {"steps": self.step, "minutes": round(self.seconds / 60, 1), "loss": round(self.loss, 4), "parameters": parameters, "device": self.device}
        (self.args.out / "training.json").write_text(json.dumps(summary))
        print(f"done: {summary}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chats", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints and the trained model")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--stop-at", type=int, default=1_000_000, help="stop after this step, for a run that goes on with other chats")
    parser.add_argument("--tokens", type=int, default=8192, help="tokens in a step")
    parser.add_argument("--learning-rate", type=float, default=4e-3)
    parser.add_argument("--threads", type=int, default=0, help="0: as many as PyTorch likes")
    parser.add_argument("--compile", action=argparse.BooleanOptionalAction, default=True, help="compiled layers need a C++ compiler; they train twice as fast")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(args)
    trainer.resume()
    trainer.run()


if __name__ == "__main__":
    main()
