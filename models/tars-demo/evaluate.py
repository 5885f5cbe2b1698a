"""Asks a running server the questions of heldout/, which training never saw, and prints a table. Answers are greedy.

Everything goes through the HTTP API: `/api/chat` for answers, `prompt_logprobs` of `/api/generate` for perplexity, which is
also computed in PyTorch in float32 on the trained weights when --model is given.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import arithmetic
from chatml import render_prompt

HERE = Path(__file__).resolve().parent
HELD_OUT = HERE / "heldout"
LONGEST_ANSWER = 256
REQUESTS_AT_ONCE = 8
UNKNOWN_WORDS = ["don't know", "do not know"]


@dataclass
class Case:
    group: str
    body: dict
    """Whether an answer is right: gets the message of the reply."""
    check: object
    wanted: str
    message: dict = field(default_factory=dict)
    has_ended: bool = False
    is_right: bool = False


def read(name: str) -> object:
    return json.loads((HELD_OUT / name).read_text())


def chat(text: str, **rest: object) -> dict:
    return {"messages": [{"role": "user", "content": text}], **rest}


def has_words(words: list[str]):
    return lambda message: all(word.lower() in message["content"].lower() for word in words)


def is_unknown(message: dict) -> bool:
    return not message.get("tool_calls") and any(word in message["content"].lower() for word in UNKNOWN_WORDS)


def guide_cases() -> list[Case]:
    facts = {fact["id"]: fact for fact in json.loads((HERE / "data" / "guide.json").read_text())}
    return [Case("guide questions", chat(q), has_words(facts[name]["keywords"]), name) for name, questions in read("guide.json").items() for q in questions]


def arithmetic_cases() -> list[Case]:
    """Sums that training never shows, in wordings that it never shows: 60 of one digit and 120 of up to two."""
    templates, rng = read("arithmetic.json"), random.Random(1)
    cases = []
    for group, largest, count in (("sums of one digit", 9, 60), ("sums of up to two digits", 99, 120)):
        pairs = [(a, s, b) for a in range(largest + 1) for b in range(largest + 1) for s in "+-" if (s == "+" or b <= a) and (largest == 9 or max(a, b) > 9)]
        # There are few sums of one digit: those that training may have shown count too, in new wordings.
        pairs = [p for p in pairs if largest == 9 or arithmetic.is_held_out(*p)]
        for index, (a, sign, b) in enumerate(rng.sample(pairs, count)):
            wordings = templates["add" if sign == "+" else "subtract"]
            wanted = str(arithmetic.result(a, sign, b))
            text = wordings[index % len(wordings)].replace("{a}", str(a)).replace("{b}", str(b))
            cases.append(Case(group, chat(text), lambda m, wanted=wanted: m["content"].split("=")[-1].strip(" .") == wanted, wanted))
    return cases


def same_value(found: object, wanted: object) -> bool:
    if isinstance(wanted, bool) or isinstance(found, bool):
        return found is wanted
    if isinstance(wanted, (int, float)) and isinstance(found, (int, float)):
        return math.isclose(found, wanted)
    return type(found) is type(wanted) and found == wanted


def calls_as(case: dict):
    def check(message: dict) -> bool:
        calls = message.get("tool_calls") or []
        if len(calls) != 1 or calls[0]["function"]["name"] != case["name"]:
            return False
        found, wanted = calls[0]["function"]["arguments"], case["arguments"]
        return isinstance(found, dict) and found.keys() == wanted.keys() and all(same_value(found[k], wanted[k]) for k in wanted)

    return check


def tool_cases() -> list[Case]:
    tools = read("tools.json")
    need = [Case("tool call needed: right tool, right arguments", chat(c["message"], tools=c["tools"]), calls_as(c), json.dumps([c["name"], c["arguments"]])) for c in tools["need"]]
    return need + [Case("tools offered, none needed", chat(c["message"], tools=c["tools"]), lambda m: not m.get("tool_calls"), "no call") for c in tools["no_need"]]


def parses(message: dict) -> bool:
    try:
        json.loads(message["content"])
        return True
    except ValueError:
        return False


def json_cases() -> list[Case]:
    asked = read("json.json")
    words = [Case("JSON asked for in words: it parses", chat(q), parses, "JSON") for q in asked["words"]]
    return words + [Case('format "json": it parses', chat(q, format="json"), parses, "JSON") for q in asked["format"]]


def unknown_cases() -> list[Case]:
    return [Case("outside its field: says so", chat(q), is_unknown, "I don't know") for q in read("unknown.json")]


class Server:
    def __init__(self, url: str, model: str) -> None:
        self.url, self.model = url, model

    def post(self, route: str, body: dict) -> dict:
        data = json.dumps({"model": self.model, "stream": False, "keep_alive": -1, **body}).encode()
        with urllib.request.urlopen(urllib.request.Request(self.url + route, data), timeout=300) as reply:
            return json.loads(reply.read())

    def ask(self, case: Case, think: bool) -> None:
        reply = self.post("/api/chat", {**case.body, "think": think, "options": {"temperature": 0, "num_predict": LONGEST_ANSWER}})
        case.message = reply["message"]
        case.has_ended = reply["done_reason"] == "stop"
        case.is_right = case.has_ended and bool(case.check(case.message))

    def logprobs(self, text: str) -> list[float]:
        reply = self.post("/api/generate", {"prompt": text, "raw": True, "prompt_logprobs": True, "options": {"num_predict": 1}})
        return [entry["logprob"] for entry in reply["prompt_logprobs"]]


def conversations() -> list[str]:
    """Held-out conversations as the chat template writes them."""
    texts = []
    for block in (HELD_OUT / "prose.txt").read_text().strip().split("\n\n"):
        turns = [line.split(": ", 1) for line in block.splitlines()]
        texts.append(render_prompt([{"role": who.lower(), "content": text} for who, text in turns]).rsplit("<|im_start|>assistant", 1)[0])
    return texts


def torch_logprobs(folder: Path, tokenizer_file: Path, texts: list[str]) -> list[list[float]]:
    import torch
    from tokenizers import Tokenizer
    from transformers import LlamaForCausalLM

    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    model = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    rows = []
    with torch.no_grad():
        for text in texts:
            ids = torch.tensor([tokenizer.encode(text, add_special_tokens=False).ids])
            scores = model(input_ids=ids).logits[0, :-1].log_softmax(-1)
            rows.append(scores.gather(1, ids[0, 1:, None])[:, 0].tolist())
    return rows


def perplexity(rows: list[list[float]]) -> float:
    flat = [value for row in rows for value in row]
    return math.exp(-sum(flat) / len(flat))


def print_table(tables: dict[bool, list[Case]]) -> None:
    print("| group | cases | right, thinking | right, not thinking |\n|---|--:|--:|--:|")

    def share(cases: list[Case], key) -> str:
        count = sum(key(case) for case in cases)
        return f"{count} ({100 * count / len(cases):.0f} %)"

    for group in dict.fromkeys(case.group for case in tables[True]):
        rows = [[case for case in tables[think] if case.group == group] for think in (True, False)]
        print(f"| {group} | {len(rows[0])} | {share(rows[0], lambda c: c.is_right)} | {share(rows[1], lambda c: c.is_right)} |")
    ended = [share(tables[think], lambda c: c.has_ended) for think in (True, False)]
    print(f"| ends by itself within {LONGEST_ANSWER} tokens (all of the above) | {len(tables[True])} | {ended[0]} | {ended[1]} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:11434")
    parser.add_argument("--name", default="tars-demo")
    parser.add_argument("--model", type=Path, help="folder of the trained weights, for the perplexity in PyTorch")
    parser.add_argument("--tokenizer", type=Path, help="tokenizer.json, with --model")
    parser.add_argument("--answers", type=Path, help="file for every question and answer, one JSON object per line")
    args = parser.parse_args()
    server = Server(args.url, args.name)
    tables = {}
    for think in (True, False):
        cases = [*guide_cases(), *arithmetic_cases(), *tool_cases(), *json_cases(), *unknown_cases()]
        with ThreadPoolExecutor(REQUESTS_AT_ONCE) as pool:
            list(pool.map(lambda case: server.ask(case, think), cases))
        tables[think] = cases
    print_table(tables)
    texts = conversations()
    served = [server.logprobs(text) for text in texts]
    print(f"\nPerplexity of heldout/prose.txt ({sum(map(len, served))} tokens): server {perplexity(served):.3f}", end="")
    if args.model:
        rows = torch_logprobs(args.model, args.tokenizer, texts)
        assert [len(row) for row in rows] == [len(row) for row in served], "the server and PyTorch cut the text differently"
        print(f", PyTorch float32 {perplexity(rows):.3f} ({100 * (perplexity(served) / perplexity(rows) - 1):+.2f} %)", end="")
    print()
    if args.answers:
        with args.answers.open("w") as file:
            for think, cases in tables.items():
                for c in cases:
                    file.write(json.dumps({"group": c.group, "think": think, "right": c.is_right, "wanted": c.wanted, "question": c.body["messages"][0]["content"], "message": c.message}) + "\n")


if __name__ == "__main__":
    main()
