"""Writes training chats for tars-demo, one JSON object a line; the same lines for the same seed and data files.

What a chat is made of lies in data/: guide.json (facts and answers), questions_*.json (ways to ask for them), unknown.json,
tools.json and json_requests.json; sums are made in arithmetic.py. Nothing of heldout/ is ever written: the evaluation asks it.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from dataclasses import dataclass
from pathlib import Path

import arithmetic
from chatml import describe_tool
from tool_grammar import ToolGrammar
from tool_text import ToolBox, made_up_word, odd_text, result_text
from wording import vary

HERE = Path(__file__).resolve().parent
BRANCHED_LETTERS = 1150  # of a head and its branches, for about 450 tokens
PARAMETERS = "6"  # millions, as the answer to "how big are you?" says it

UNKNOWN_ANSWER = "I don't know. I am a very small model and only know about TARS."
UNKNOWN_THOUGHT = "This is not about TARS. I do not know it."
NO_TOOL_THOUGHT = "No tool can do this."
SYSTEMS = ["You are a helpful assistant.", "You are tars-demo, a small assistant.", "Answer in one short sentence.", "You are a friendly assistant for TARS.", "You are an expert on TARS.", "Be brief.", "You are a kind and patient helper.", "You answer questions of users.", "You are a bot in a chat room.", "Help the user.", "Today is Monday.", "You are an AI assistant. Be honest.", "Answer politely.", "You can use tools.", "You are a helpful assistant with access to tools."]
NAMES = ["Anna", "Ben", "Clara", "David", "Emma", "Felix", "Grace", "Hugo", "Ida", "Jonas", "Kim", "Leo", "Maria", "Nina", "Oscar", "Paul", "Rosa", "Sam", "Tina", "Umar", "Vera", "Will", "Yuki", "Zoe"]
JSON_ASK_PLAIN = ["Answer in JSON.", "as JSON", "in JSON please", "Reply with JSON only.", "Respond in JSON format."]


def read(name: str) -> object:
    return json.loads((HERE / "data" / name).read_text())


def normal(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", text.lower()).strip()


def held_out_texts() -> set[str]:
    folder = HERE / "heldout"
    guide = json.loads((folder / "guide.json").read_text())
    texts = [q for questions in guide.values() for q in questions] + json.loads((folder / "unknown.json").read_text())
    tools = json.loads((folder / "tools.json").read_text())
    texts += [case["message"] for cases in tools.values() for case in cases]
    texts += [q for questions in json.loads((folder / "json.json").read_text()).values() for q in questions]
    return {normal(text) for text in texts}


def fill(template: str, slots: dict[str, list], rng: random.Random) -> str:
    return re.sub(r"\{(\w+)\}", lambda m: str(rng.choice(slots[m.group(1)])) if m.group(1) in slots else m.group(0), template)


class Turns:
    """Single turns of each kind: {user, content, thought} and, with tools, {tools, call}."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.held_out = held_out_texts()
        self.guide = [{**fact, "answer": fact["answer"].replace("{parameters}", PARAMETERS)} for fact in read("guide.json")]
        files = [json.loads(path.read_text()) for path in sorted((HERE / "data").glob("questions_*.json"))]
        self.questions = {fact["id"]: self.asked([q for file in files for q in file.get(fact["id"], [])]) for fact in self.guide}
        self.unknown_data = read("unknown.json")
        self.json_data = read("json_requests.json")
        self.tool_box = ToolBox([read("tools.json"), read("tools_2.json")], rng)
        self.tool_grammar = ToolGrammar(rng)

    def asked(self, questions: list[str]) -> list[str]:
        return [q for q in dict.fromkeys(questions) if self.is_free(q)]

    def is_free(self, text: str) -> bool:
        return normal(text) not in self.held_out

    def fact(self) -> dict:
        fact = self.rng.choice(self.guide)
        question = vary(self.rng.choice(self.questions[fact["id"]]), self.rng)
        return {"user": question, "content": fact["answer"], "thought": f"The user asks about {fact['topic']}."} if self.is_free(question) else self.fact()

    def unknown(self) -> dict:
        rng, data = self.rng, self.unknown_data
        kind = rng.random()
        if kind < 0.03:
            text = " ".join(made_up_word(rng) for _ in range(rng.randrange(1, 5)))
        elif kind < 0.45:
            text = vary(rng.choice(data["questions"]), rng)
        elif kind < 0.62:
            text = vary(rng.choice(data["near"]), rng, is_exact=rng.random() < 0.5)
        else:
            text = vary(fill(rng.choice(data["templates"]), data["slots"], rng), rng, is_exact=rng.random() < 0.5)
        return {"user": text, "content": UNKNOWN_ANSWER, "thought": UNKNOWN_THOUGHT} if self.is_free(text) else self.unknown()

    def sum(self) -> dict:
        a, sign, b = arithmetic.draw(self.rng)
        text = vary(arithmetic.wording(a, sign, b, self.rng), self.rng, is_exact=True)
        return {"user": text, "content": arithmetic.answer(a, sign, b), "thought": arithmetic.thought(a, sign, b)}

    def json(self) -> dict:
        return self.rng.choices([self.json_extract, self.json_guide, self.json_list, self.json_free], weights=[52, 24, 12, 12])[0]()

    def json_ask(self) -> str:
        return self.rng.choice(self.json_data["guide"] if self.rng.random() < 0.8 else JSON_ASK_PLAIN)

    def json_guide(self) -> dict:
        rng = self.rng
        if rng.random() < 0.2:
            a, sign, b = arithmetic.draw(rng)
            question, value, topic = arithmetic.wording(a, sign, b, rng), arithmetic.result(a, sign, b), "a sum"
        elif rng.random() < 0.15:
            question, value, topic = rng.choice(self.unknown_data["questions"]), "I don't know", "something that I do not know"
        else:
            fact = rng.choice([f for f in self.guide if '"' not in f["answer"] and "\n" not in f["answer"]])
            question, value, topic = rng.choice(self.questions[fact["id"]]), fact["answer"], fact["topic"]
        ask = self.json_ask()
        if rng.random() < 0.7:
            text = (question if question.endswith(("?", ".", "!")) else question + rng.choice([".", "?", ","])) + " " + ask
        else:
            text = ask + ("" if ask.endswith((".", ":", "!")) else ":") + " " + question
        return self.json_turn(text, {"answer": value}, f"The user asks about {topic} and wants JSON.")

    def json_turn(self, text: str, value: object, thought: str) -> dict:
        if not self.is_free(text):
            return self.json()
        return {"user": text, "content": json.dumps(value), "thought": thought}

    def filled(self, entry: dict) -> tuple[str, object]:
        """Fills a message and its JSON with the same values."""
        rng = self.rng
        drawn: dict[str, object] = {}

        def value_of(slot: str) -> object:
            if slot not in drawn:
                value = rng.choice(self.json_data["slots"][slot])
                if slot in self.json_data["number_slots"]:
                    value = float(value) if "." in str(value) else int(value)
                    value = rng.randrange(1, 10 ** rng.randrange(1, 5)) if isinstance(value, int) and rng.random() < 0.3 else value
                elif isinstance(value, str) and rng.random() < 0.15 and not re.search(r"\d", value):
                    value = odd_text(rng)
                drawn[slot] = value
            return drawn[slot]

        def put(node: object) -> object:
            if isinstance(node, dict):
                return {str(put(k)): put(v) for k, v in node.items()}
            if isinstance(node, list):
                return [put(v) for v in node]
            if isinstance(node, str):
                whole = re.fullmatch(r"\{(\w+)\}", node)
                if whole and whole.group(1) in self.json_data["slots"]:
                    return value_of(whole.group(1))
                return re.sub(r"\{(\w+)\}", lambda m: str(value_of(m.group(1))) if m.group(1) in self.json_data["slots"] else m.group(0), node)
            return node

        return str(put(entry["text"])), put(entry["json"])

    def json_extract(self) -> dict:
        entry = self.rng.choice(self.json_data["extract"] + self.json_data["schema"])
        text, value = self.filled(entry)
        return self.json_turn(text, value, "The user wants JSON.")

    def json_list(self) -> dict:
        text, value = self.filled(self.rng.choice(self.json_data["list"]))
        return self.json_turn(text, value, "The user wants JSON.")

    def json_free(self) -> dict:
        """Objects of made-up keys and values: nothing but copying helps."""
        rng = self.rng
        keys = list(dict.fromkeys(made_up_word(rng) if rng.random() < 0.5 else rng.choice(["name", "age", "city", "price", "color", "size", "title", "year", "status", "count", "email", "id", "type", "date", "country", "language", "model", "port", "score", "weight"]) for _ in range(rng.randrange(1, 5))))
        values = [rng.randrange(0, 10 ** rng.randrange(1, 5)) if rng.random() < 0.4 else rng.choice([True, False]) if rng.random() < 0.1 else odd_text(rng) if rng.random() < 0.6 else rng.choice(NAMES) for _ in keys]
        pairs = list(zip(keys, values))
        shown = ", ".join(f"{k} {v if not isinstance(v, bool) else str(v).lower()}" for k, v in pairs)
        text = rng.choice(["Make a JSON object with {}.", "JSON with {}", "Write {} as JSON.", "Put this into JSON: {}.", "I need a JSON object: {}.", "Give me JSON for {}.", "Return a JSON object with {}.", "Turn {} into JSON.", "Create JSON where {}.", "Format as JSON: {}"]).format(shown)
        return self.json_turn(text, dict(pairs), "The user wants JSON.")

    def tool_call(self) -> dict:
        turn = self.tool_box.needed()
        return {"tools": turn["tools"], "user": turn["user"], "content": turn["call"], "thought": turn["thought"], "result": turn["result"]} if self.is_free(turn["user"]) else self.tool_call()

    def tool_vain(self) -> dict:
        tools, request = self.tool_box.offered_in_vain()
        return {**self.no_call(request), "tools": tools}

    def no_call(self, request: str) -> dict:
        """A turn that none of the tools can help with; `request` is one for a tool that is not offered."""
        kind = self.rng.random()
        if kind < 0.3 and self.is_free(request):
            return {"user": request, "content": UNKNOWN_ANSWER, "thought": NO_TOOL_THOUGHT}
        turn = self.fact() if kind < 0.7 else self.unknown() if kind < 0.85 else self.sum()
        return {**turn, "thought": f"{NO_TOOL_THOUGHT} {turn['thought']}"}

    def drawn_tools(self, count: int) -> list[dict]:
        rng = self.rng
        if rng.random() < 0.22:
            return self.tool_grammar.family(count)
        return [self.tool_grammar.draw() if rng.random() < 0.45 else rng.choice(self.tool_box.tools) for _ in range(count)]

    def tool_branches(self) -> tuple[list[dict], list[dict]]:
        """Offered tools, and turns that each stand alone after them: a call for one of the tools, or none."""
        rng, box = self.rng, self.tool_box
        offers = box.offer_all(self.drawn_tools(rng.choices([1, 2, 3], weights=[22, 35, 43])[0]))
        tools = [offered for _, offered, _ in offers]
        turns: list[dict] = []
        letters = len(json.dumps([describe_tool(tool) for tool in tools]))
        while letters < BRANCHED_LETTERS:
            if rng.random() < 0.68:
                turn = box.call(*rng.choice(offers))
                turn["content"] = turn.pop("call")
                if not self.is_free(turn["user"]):
                    continue
            else:
                other = self.drawn_tools(1)[0]
                if any(tool is other for tool, _, _ in offers):
                    continue
                turn = self.no_call(box.request(other)[0])
            turns.append(turn)
            letters += len(turn["user"]) + len(turn["content"]) + 60
        return tools, turns


@dataclass
class Mix:
    """How often a turn is of each kind: fact, unknown, sum, json, tool_call, tool_vain; the first four for turns before the
    last; and the share of chats that are tools with many requests."""

    last: list[int]
    before: list[int]
    branched: float = 0.0


# Language comes first; sums and copying into calls take far more examples, and are learned on top of it. To tell which of
# several tools is meant takes most: these examples share their tools, several requests to each.
MIXES = {
    "first": Mix([40, 13, 10, 11, 17, 9], [58, 18, 14, 10]),
    "second": Mix([30, 10, 19, 12, 21, 8], [42, 12, 36, 10]),
    "third": Mix([42, 10, 14, 9, 18, 7], [52, 12, 27, 9]),
    "fourth": Mix([40, 11, 18, 18, 8, 5], [50, 13, 25, 12], branched=0.21),
}


class Chats:
    def __init__(self, seed: int, mix: str) -> None:
        self.rng = random.Random(seed)
        self.mix = MIXES[mix]
        self.turns = Turns(self.rng)

    def turn(self) -> dict:
        turns = self.turns
        return self.rng.choices([turns.fact, turns.unknown, turns.sum, turns.json, turns.tool_call, turns.tool_vain], weights=self.mix.last)[0]()

    def plain_turn(self) -> dict:
        turns = self.turns
        return self.rng.choices([turns.fact, turns.unknown, turns.sum, turns.json], weights=self.mix.before)[0]()

    def assistant(self, turn: dict, is_last: bool) -> dict:
        """The last turn thinks or is told not to; earlier ones stand in a prompt without a thinking block."""
        if not is_last:
            return {"role": "assistant", "content": turn["content"]}
        return {"role": "assistant", "content": turn["content"], "thought": turn["thought"] if self.rng.random() < 0.55 else ""}

    def name_turns(self) -> list[dict]:
        name = self.rng.choice(NAMES) if self.rng.random() < 0.5 else made_up_word(self.rng).capitalize()
        first = self.rng.choice(["My name is {}.", "I am {}.", "Hi, I'm {}.", "Hello, my name is {}.", "Call me {}."]).format(name)
        asked = self.rng.choice(["What is my name?", "Who am I?", "Do you know my name?", "What's my name?", "Do you remember my name?"])
        between = [self.plain_turn() for _ in range(self.rng.choice([0, 0, 1, 2]))]
        return [{"user": first, "content": f"Nice to meet you, {name}! How can I help you?", "thought": f"The user's name is {name}."}, *between, {"user": asked, "content": f"Your name is {name}.", "thought": f"The user's name is {name}."}]

    def branched_chat(self) -> dict:
        tools, turns = self.turns.tool_branches()
        branches = []
        for turn in turns:
            before = self.earlier_messages() if self.rng.random() < 0.1 else []
            branches.append([*before, {"role": "user", "content": turn["user"]}, self.assistant(turn, True)])
        return {"tools": tools, "branches": branches}

    def earlier_messages(self) -> list[dict]:
        turn = self.plain_turn()
        return [{"role": "user", "content": turn["user"]}, self.assistant(turn, False)]

    def chat(self, is_long: bool = False) -> dict:
        chat = self.branched_chat() if not is_long and self.rng.random() < self.mix.branched else self.straight_chat(is_long)
        if self.rng.random() < 0.3:
            chat["system"] = self.rng.choice(SYSTEMS)
        return chat

    def straight_chat(self, is_long: bool) -> dict:
        rng = self.rng
        if is_long:
            turns = [self.plain_turn() for _ in range(rng.randrange(8, 20))]
        elif rng.random() < 0.03:
            turns = self.name_turns()
        else:
            first = self.turn()
            extra = rng.choices([0, 1, 2, 3], weights=[70, 18, 8, 4])[0]
            # Tools of the last turn are offered in the whole chat, so earlier turns are ones that need none.
            turns = [*(self.plain_turn() for _ in range(extra)), first]
        last = turns[-1]
        messages: list[dict] = []
        for turn in turns:
            messages += [{"role": "user", "content": turn["user"]}, self.assistant(turn, turn is last)]
        if last.get("result") is not None and rng.random() < 0.25:
            messages[-1] = {"role": "assistant", "content": last["content"]}
            told = {"content": last["result"]["answer"], "thought": "The tool gave a result."}
            messages += [{"role": "tool", "content": result_text(last["result"]["result"])}, self.assistant(told, True)]
        return {"messages": messages, "tools": last.get("tools", [])}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--chats", type=int, default=250_000)
    parser.add_argument("--long", type=int, default=4_000, help="further chats of many turns, for positions near the end of the context")
    parser.add_argument("--mix", choices=MIXES, default="first")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    chats = Chats(args.seed, args.mix)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    with args.out.open("w") as file:
        for number in range(args.chats + args.long):
            file.write(json.dumps(chats.chat(is_long=number >= args.chats), ensure_ascii=False) + "\n")
    print(f"{args.chats} chats and {args.long} long ones in {args.out}")


if __name__ == "__main__":
    main()
