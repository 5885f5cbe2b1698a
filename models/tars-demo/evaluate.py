"""Asks the exported GGUF file questions that training never showed and prints a table; answers are greedy, in PyTorch, in float32.

An answer passes when it ends by itself and holds every keyword of its entry in facts.json; sums must be exactly right.
"exact" counts the answers that are word for word one of the taught ones.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM

from chatml import END, render_prompt
from generate_data import OPERATIONS, SMALL_TERM, SUM_HELD_OUT, SUM_QUESTIONS, all_sums, is_held_out_sum, load_facts, sum_result

HERE = Path(__file__).resolve().parent
LONGEST_ANSWER = 120
NUM_SUMS = 60
UNSEEN_SYSTEM = "You are a kind robot who likes short answers."


@dataclass(frozen=True)
class Question:
    group: str
    messages: list[dict]
    keywords: list[str]
    taught: list[str]


def user(text: str) -> dict:
    return {"role": "user", "content": text}


def paraphrases(facts: dict) -> list[Question]:
    asked: list[Question] = []
    for group, title in (("facts", "TARS and everyday facts, new wording"), ("smalltalk", "small talk, new wording")):
        for item in facts[group]:
            asked += [Question(title, [user(q)], item["keywords"], item["answers"]) for q in item["held_out"]]
    return asked


def blind(facts: dict) -> list[Question]:
    items = {item["id"]: item for item in [*facts["facts"], *facts["smalltalk"], {"id": "unknown", **facts["unknown"]}]}
    asked: list[Question] = []
    for name, question in facts["blind"]:
        title = "blind: has no answer" if name == "unknown" else "blind: has an answer"
        asked.append(Question(title, [user(question)], items[name]["keywords"], items[name]["answers"]))
    return asked


def with_system(facts: dict) -> list[Question]:
    system = {"role": "system", "content": UNSEEN_SYSTEM}
    return [Question("taught question, new system prompt", [system, user(i["questions"][0])], i["keywords"], i["answers"]) for i in facts["facts"]]


def second_turns(facts: dict) -> list[Question]:
    opening = [user("Hello"), {"role": "assistant", "content": facts["smalltalk"][0]["answers"][0]}]
    return [Question("new wording, second turn", [*opening, user(i["held_out"][0])], i["keywords"], i["answers"]) for i in facts["facts"]]


def unknown(facts: dict) -> list[Question]:
    entry = facts["unknown"]
    return [Question('admits "I don\'t know", new questions', [user(q)], entry["keywords"], entry["answers"]) for q in entry["held_out"]]


def sums() -> list[Question]:
    asked: list[Question] = []
    small = [s for s in all_sums() if max(s[0], s[2]) <= SMALL_TERM]
    large = [s for s in all_sums() if max(s[0], s[2]) > SMALL_TERM]
    groups = {
        "sums up to 10, taught": (small, SUM_QUESTIONS),
        "sums up to 10, new wording": (small, SUM_HELD_OUT),
        "sums up to 20, taught": ([s for s in large if not is_held_out_sum(*s)], SUM_QUESTIONS),
        "sums up to 20, never shown": ([s for s in large if is_held_out_sum(*s)], SUM_QUESTIONS),
    }
    for title, (chosen, wordings) in groups.items():
        step = max(1, len(chosen) // NUM_SUMS)
        for index, (a, sign, b) in enumerate(chosen[::step][:NUM_SUMS]):
            text = wordings[index % len(wordings)].format(a=a, b=b, sign=sign, word=OPERATIONS[sign])
            answer = f"{a} {sign} {b} = {sum_result(a, sign, b)}"
            asked.append(Question(title, [user(text)], [answer], [answer]))
    return asked


class Model:
    def __init__(self, file: Path, tokenizer: Path) -> None:
        self.tokenizer = Tokenizer.from_file(str(tokenizer))
        self.model = AutoModelForCausalLM.from_pretrained(str(file.parent), gguf_file=file.name, dtype=torch.float32).eval()
        self.end = self.tokenizer.token_to_id(END)

    @torch.no_grad()
    def answer(self, messages: list[dict]) -> tuple[str, bool]:
        """The greedy answer, and whether the model ended it."""
        new = self.tokenizer.encode(render_prompt(messages), add_special_tokens=False).ids
        ids: list[int] = []
        cache = None
        while len(ids) < LONGEST_ANSWER:
            output = self.model(input_ids=torch.tensor([new]), past_key_values=cache, use_cache=True)
            cache = output.past_key_values
            new = [int(output.logits[0, -1].argmax())]
            if new[0] == self.end:
                return self.tokenizer.decode(ids), True
            ids += new
        return self.tokenizer.decode(ids), False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gguf", type=Path, default=HERE / "tars-demo.gguf")
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--answers", type=Path, help="file for every question and answer, one JSON object per line")
    parser.add_argument("--threads", type=int, default=0)
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    facts = load_facts()
    model = Model(args.gguf, args.tokenizer)
    table: dict[str, list[int]] = {}
    lines: list[str] = []
    for question in [*paraphrases(facts), *second_turns(facts), *with_system(facts), *unknown(facts), *blind(facts), *sums()]:
        text, has_ended = model.answer(question.messages)
        passed = has_ended and all(word.lower() in text.lower() for word in question.keywords)
        row = table.setdefault(question.group, [0, 0, 0])
        for place, amount in enumerate((1, passed, text in question.taught)):
            row[place] += amount
        lines.append(json.dumps({"group": question.group, "question": question.messages[-1]["content"], "answer": text, "passed": passed}))
    if args.answers:
        args.answers.write_text("\n".join(lines) + "\n")
    print("| group | questions | passed | exact |\n|---|--:|--:|--:|")
    for group, (count, passed, exact) in table.items():
        print(f"| {group} | {count} | {passed} ({100 * passed / count:.0f} %) | {exact} |")


if __name__ == "__main__":
    main()
