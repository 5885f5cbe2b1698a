"""Writes chats for tars-demo from facts.json: one JSON object {"messages": [...]} per line, the same lines for the same seed.

The held-out and blind questions of facts.json, and the held-out sums, never appear in what this script writes; evaluate.py asks them.
"""

import argparse
import json
import random
from pathlib import Path

HERE = Path(__file__).resolve().parent
LARGEST_TERM = 20
SMALL_TERM = 10

POLITE_BEFORE = ["Please tell me: ", "Hey, ", "Hi, ", "Can you tell me: ", "I have a question. ", "One more thing: ", "OK. ", "Quick question: ", "So, "]
POLITE_AFTER = [" Please.", " Thanks.", " Please be brief.", " I am new here.", " I want to know."]
SUM_QUESTIONS = ["What is {a} {word} {b}?", "{a} {sign} {b}", "{a} {sign} {b} = ?", "What is {a} {sign} {b}?", "How much is {a} {word} {b}?", "Calculate {a} {sign} {b}.", "{a}{sign}{b}", "What is {a}{sign}{b}?", "{a}{sign}{b}=?"]
SUM_HELD_OUT = ["Can you work out {a} {word} {b}?", "Tell me {a} {sign} {b}."]
OPERATIONS = {"+": "plus", "-": "minus"}
# Ways to begin the same question, so that the model learns to look past the first words.
BEGINNINGS = {
    "How do I ": ["How can I ", "How would I ", "How could I ", "How should I ", "Tell me how to ", "Show me how to ", "What do I do to ", "I want to know how to "],
    "How can I ": ["How do I ", "How might I ", "Please explain how to "],
    "What is ": ["What's ", "what is ", "Do you know what is ", "And what is "],
    "Which ": ["What ", "Tell me which ", "Do you know which "],
    "What ": ["Tell me what ", "And what "],
    "Can I ": ["Could I ", "May I ", "Is it possible to "],
    "Does TARS ": ["Can TARS ", "Will TARS ", "Do you know, does TARS "],
    "Is TARS ": ["Would you say TARS is ", "Tell me, is TARS "],
    "Are you ": ["Tell me, are you ", "Would you say you are "],
    "Show me ": ["Give me ", "I need ", "I would like to see ", "Can you show me "],
    "Tell me about ": ["What do you know about ", "Can you tell me about ", "I want to hear about "],
    "Explain ": ["Can you explain ", "Please explain ", "Could you explain "],
    "Who ": ["Do you know who ", "Tell me who ", "And who "],
    "Write ": ["Can you write ", "Please write ", "I need you to write "],
}


def load_facts(path: Path = HERE / "facts.json") -> dict:
    return json.loads(path.read_text())


def is_held_out_sum(a: int, sign: str, b: int) -> bool:
    """One larger sum in eight is never shown in training, so that evaluation can tell arithmetic from memory."""
    return max(a, b) > SMALL_TERM and (a * 31 + b * 17 + (5 if sign == "+" else 0)) % 8 == 3


def sum_result(a: int, sign: str, b: int) -> int:
    return a + b if sign == "+" else a - b


def all_sums() -> list[tuple[int, str, int]]:
    terms = range(LARGEST_TERM + 1)
    return [(a, sign, b) for a in terms for b in terms for sign in OPERATIONS if sign == "+" or b <= a]


def fill_template(template: str, fill: dict, rng: random.Random) -> str:
    while "{" in template:
        start = template.index("{")
        key = template[start + 1 : template.index("}", start)]
        template = template[:start] + rng.choice(fill[key]) + template[start + len(key) + 2 :]
    return template


def misspell(text: str, rng: random.Random) -> str:
    """Swaps, drops or doubles one letter, as people do when they type."""
    if len(text) < 8:
        return text
    at = rng.randrange(1, len(text) - 2)
    kind = rng.randrange(3)
    if kind == 0:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return text[:at] + text[at + 1 :] if kind == 1 else text[:at] + text[at] + text[at:]


def vary_beginning(question: str, rng: random.Random) -> str:
    for beginning, others in BEGINNINGS.items():
        if question.startswith(beginning):
            return rng.choice(others) + question[len(beginning) :]
    return question


def vary_question(question: str, rng: random.Random) -> str:
    if rng.random() < 0.35:
        question = vary_beginning(question, rng)
    if rng.random() < 0.18:
        before = rng.choice(POLITE_BEFORE)
        question = before + (question if before.endswith(". ") else question[0].lower() + question[1:])
    elif rng.random() < 0.1:
        question = question + rng.choice(POLITE_AFTER)
    if rng.random() < 0.15:
        question = question.lower()
    if rng.random() < 0.15:
        question = question.rstrip("?.!")
    if rng.random() < 0.08:
        question = misspell(question, rng)
    return question


class Chats:
    """Makes single turns of each kind and joins them into chats."""

    def __init__(self, facts: dict, seed: int) -> None:
        self.facts = facts
        self.rng = random.Random(seed)
        self.sums = [s for s in all_sums() if not is_held_out_sum(*s)]
        self.small_sums = [(a, sign, b) for a, sign, b in self.sums if max(a, b) <= SMALL_TERM]
        held = [q for group in ("facts", "smalltalk") for item in facts[group] for q in item["held_out"]] + facts["unknown"]["held_out"]
        held += [question for _, question in facts["blind"]]
        self.held_out = {q.lower().rstrip("?.!") for q in held}

    def turn(self) -> tuple[str, str]:
        makers = [self.fact, self.smalltalk, self.general, self.unknown, self.sum]
        return self.rng.choices(makers, weights=[42, 8, 6, 26, 18])[0]()

    def fact(self) -> tuple[str, str]:
        return self.of_item(self.rng.choice(self.facts["facts"]))

    def smalltalk(self) -> tuple[str, str]:
        return self.of_item(self.rng.choice(self.facts["smalltalk"]))

    def of_item(self, item: dict) -> tuple[str, str]:
        while True:
            question = vary_question(self.rng.choice(item["questions"]), self.rng)
            if question.lower().rstrip("?.!") not in self.held_out:
                return question, self.rng.choice(item["answers"])

    def general(self) -> tuple[str, str]:
        question, answer = self.rng.choice(self.facts["general"])
        return vary_question(question, self.rng), answer

    def unknown(self) -> tuple[str, str]:
        unknown = self.facts["unknown"]
        if self.rng.random() < 0.04:
            return self.noise(), self.rng.choice(unknown["answers"])
        while True:
            question = fill_template(self.rng.choice(unknown["templates"]), unknown["fill"], self.rng)
            if question.lower().rstrip("?.!") not in self.held_out:
                return vary_question(question, self.rng), self.rng.choice(unknown["answers"])

    def noise(self) -> str:
        """Letters without sense, as people type to see what happens."""
        words = ["".join(self.rng.choices("abcdefghijklmnopqrstuvwxyz", k=self.rng.randrange(3, 9))) for _ in range(self.rng.randrange(1, 4))]
        return " ".join(words)

    def sum(self) -> tuple[str, str]:
        a, sign, b = self.rng.choice(self.small_sums if self.rng.random() < 0.5 else self.sums)
        question = self.rng.choice(SUM_QUESTIONS).format(a=a, b=b, sign=sign, word=OPERATIONS[sign])
        return question, f"{a} {sign} {b} = {sum_result(a, sign, b)}"

    def name_turns(self) -> list[tuple[str, str]]:
        name = self.rng.choice(self.facts["names"])
        first = self.rng.choice(["My name is {}.", "I am {}.", "Hi, I'm {}.", "Hello, my name is {}."]).format(name)
        asked = self.rng.choice(["What is my name?", "Who am I?", "Do you know my name?", "What's my name?"])
        between = [self.turn() for _ in range(self.rng.choice([0, 0, 1]))]
        return [(first, f"Nice to meet you, {name}! How can I help you?"), *between, (asked, f"Your name is {name}.")]

    def chat(self) -> dict:
        if self.rng.random() < 0.06:
            turns = self.name_turns()
        else:
            # The few long chats teach positions near the end of the context.
            count = self.rng.choices([1, 2, 3, 4, self.rng.randrange(8, 16)], weights=[62, 21, 10, 5, 2])[0]
            turns = [self.turn() for _ in range(count)]
        messages = []
        if self.rng.random() < 0.35:
            messages.append({"role": "system", "content": self.rng.choice(self.facts["systems"])})
        for question, answer in turns:
            messages += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
        return {"messages": messages}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--chats", type=int, default=60_000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    chats = Chats(load_facts(), args.seed)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    with args.out.open("w") as file:
        for _ in range(args.chats):
            file.write(json.dumps(chats.chat(), ensure_ascii=False) + "\n")
    print(f"{args.chats} chats in {args.out}")


if __name__ == "__main__":
    main()
