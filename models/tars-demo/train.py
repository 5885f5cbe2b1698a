"""Trains tars-demo from scratch: a small Llama with tied embeddings on packed chats, on the CPU or on CUDA if there is one.

The loss counts the assistant's tokens fully and all others a little. A run can be stopped and started again: it goes on from
the last checkpoint. It ends after --steps steps or --minutes minutes, whichever comes first; the learning rate follows.
"""

import argparse
import json
import math
import time
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import LlamaConfig, LlamaForCausalLM

from chatml import END, END_OF_TEXT, encode_chat

CONTEXT = 1024
OTHER_TOKENS_WEIGHT = 0.1
CHECKPOINT_EVERY_STEPS = 100


def model_config(tokenizer: Tokenizer) -> LlamaConfig:
    return LlamaConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=256,
        intermediate_size=768,
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


def pack_chats(tokenizer: Tokenizer, path: Path) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Rows of CONTEXT tokens: ids, the weight of predicting each token, and the number of the chat it belongs to."""
    padding = tokenizer.token_to_id(END_OF_TEXT)
    rows: list[tuple[list[int], list[float], list[int]]] = []
    ids: list[int] = []
    weights: list[float] = []
    owners: list[int] = []

    def close_row() -> None:
        gap = CONTEXT - len(ids)
        rows.append((ids + [padding] * gap, weights + [0.0] * gap, owners + [-1] * gap))

    with path.open() as file:
        for number, line in enumerate(file):
            chat, wanted = encode_chat(tokenizer, json.loads(line)["messages"])
            chat, wanted = chat[:CONTEXT], wanted[:CONTEXT]
            if len(ids) + len(chat) > CONTEXT:
                close_row()
                ids, weights, owners = [], [], []
            ids = ids + chat
            # Nothing predicts the first token of a chat.
            weights = weights + [0.0] + [1.0 if w else OTHER_TOKENS_WEIGHT for w in wanted[1:]]
            owners = owners + [number] * len(chat)
    close_row()
    columns = list(zip(*rows))
    return torch.tensor(columns[0]), torch.tensor(columns[1]), torch.tensor(columns[2])


def same_chat_mask(owners: torch.Tensor) -> torch.Tensor:
    """[rows, 1, tokens, tokens], true where a token may look: back, and at its own chat only."""
    length = owners.shape[1]
    causal = torch.ones(length, length, dtype=torch.bool, device=owners.device).tril()
    return ((owners[:, :, None] == owners[:, None, :]) & causal)[:, None]


def build_optimizers(model: LlamaForCausalLM, learning_rate: float) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside the layers, for progress in few steps; AdamW for the embedding and the norms."""
    matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and "embed" not in name]
    others = [p for name, p in model.named_parameters() if p.ndim != 2 or "embed" in name]
    return [
        torch.optim.Muon(matrices, lr=learning_rate, weight_decay=0.05, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(others, lr=learning_rate, betas=(0.9, 0.98), weight_decay=0.0),
    ]


def learning_rate_factor(progress: float) -> float:
    """Linear warm-up over the first 2 %, then a cosine down to 2 %."""
    if progress < 0.02:
        return 0.05 + 0.95 * progress / 0.02
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))


class Trainer:
    def __init__(self, args: argparse.Namespace) -> None:
        torch.manual_seed(args.seed)
        if args.threads:
            torch.set_num_threads(args.threads)
        self.args = args
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        tokenizer = Tokenizer.from_file(str(args.tokenizer))
        self.model = LlamaForCausalLM(model_config(tokenizer)).to(self.device)
        self.optimizers = build_optimizers(self.model, args.learning_rate)
        self.ids, self.weights, self.owners = pack_chats(tokenizer, args.chats)
        self.order = torch.randperm(len(self.ids))
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

    def progress(self) -> float:
        return max(self.step / self.args.steps, self.seconds / (60 * self.args.minutes))

    def batch_loss(self) -> torch.Tensor:
        first = self.step * self.args.rows
        at = self.order[[(first + i) % len(self.order) for i in range(self.args.rows)]]
        ids, weights, owners = (t[at].to(self.device) for t in (self.ids, self.weights, self.owners))
        with torch.autocast(self.device, dtype=torch.bfloat16):
            logits = self.model(input_ids=ids, attention_mask=same_chat_mask(owners)).logits
        losses = torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1).float(), ids[:, 1:].flatten(), reduction="none")
        wanted = weights[:, 1:].flatten()
        return (losses * wanted).sum() / wanted.sum()

    def train_step(self) -> float:
        factor = learning_rate_factor(self.progress())
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
        print(f"{parameters} parameters, {len(self.ids)} rows of {CONTEXT} tokens, {self.device}", flush=True)
        self.model.train()
        while self.progress() < 1:
            started = time.monotonic()
            self.loss = self.train_step()
            self.step += 1
            self.seconds += time.monotonic() - started
            if self.step % 10 == 0:
                rate = self.step * self.args.rows * CONTEXT / self.seconds
                print(f"step {self.step} loss {self.loss:.3f} {rate:.0f} tok/s {self.seconds / 60:.1f} min", flush=True)
            if self.step % CHECKPOINT_EVERY_STEPS == 0:
                self.save()
        self.save()
        self.model.save_pretrained(self.args.out / "model")
        summary = {"steps": self.step, "minutes": round(self.seconds / 60, 1), "loss": round(self.loss, 4), "parameters": parameters, "device": self.device}
        (self.args.out / "training.json").write_text(json.dumps(summary))
        print(f"done: {summary}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chats", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints and the trained model")
    parser.add_argument("--minutes", type=float, default=22)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--rows", type=int, default=4, help="rows of 1024 tokens in a step")
    parser.add_argument("--learning-rate", type=float, default=4e-3)
    parser.add_argument("--threads", type=int, default=0, help="0: as many as PyTorch likes")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(args)
    trainer.resume()
    trainer.run()


if __name__ == "__main__":
    main()
