"""Tools, requests for them, and calls, drawn from data/tools.json; names are varied so that the model copies and does not recall."""

from __future__ import annotations

import json
import random
import re

from chatml import describe_call
from wording import BEFORE

SYLLABLES = "ba be bi bo bu da de di do du fa fe fi fo ga go ha he hi ka ke ki ko la le li lo lu ma me mi mo na ne ni no pa pe pi po ra re ri ro sa se si so ta te ti to va ve vi vo wa we za zo qu xi ".split()
VERBS = {
    "get": ["fetch", "read", "look_up", "retrieve", "find", "query", "show", "check"], "fetch": ["get", "load", "retrieve"], "create": ["add", "make", "new", "insert", "register"], "add": ["create", "insert", "append", "put"],
    "send": ["post", "deliver", "dispatch", "submit"], "search": ["find", "look_for", "query", "lookup"], "find": ["search", "locate", "look_up"], "set": ["change", "update", "configure", "adjust"], "delete": ["remove", "erase", "drop", "clear"],
    "start": ["begin", "launch", "run", "trigger"], "stop": ["end", "halt", "cancel"], "book": ["reserve", "schedule"], "convert": ["transform", "change", "translate"], "list": ["show", "get", "enumerate"], "play": ["start", "run"],
    "update": ["change", "edit", "modify", "set"], "check": ["verify", "test", "get", "inspect"], "lookup": ["find", "get", "search"], "order": ["buy", "purchase", "request"], "open": ["show", "launch", "unlock"],
}


def made_up_word(rng: random.Random) -> str:
    return "".join(rng.choices(SYLLABLES, k=rng.randrange(2, 4)))


def words_of(name: str) -> list[str]:
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name)
    return [w.lower() for w in re.split(r"[\s_.\-/]+", spaced) if w]


def styled(words: list[str], rng: random.Random) -> str:
    style = rng.choices(["snake", "camel", "kebab", "dot", "pascal"], weights=[50, 25, 10, 8, 7])[0]
    if style == "camel":
        return words[0] + "".join(w.capitalize() for w in words[1:])
    if style == "pascal":
        return "".join(w.capitalize() for w in words)
    return {"snake": "_", "kebab": "-", "dot": "."}[style].join(words)


def vary_name(name: str, rng: random.Random) -> str:
    if rng.random() < 0.25:
        return name
    words = words_of(name)
    words = [w2 for w in words for w2 in (rng.choice(VERBS[w]).split("_") if w in VERBS and rng.random() < 0.4 else [w])]
    if rng.random() < 0.2:
        words.insert(rng.randrange(len(words) + 1), made_up_word(rng))
    elif len(words) > 2 and rng.random() < 0.15:
        words.pop(rng.randrange(len(words)))
    if rng.random() < 0.06:
        words = [made_up_word(rng) for _ in range(rng.randrange(1, 3))]
    if rng.random() < 0.06:
        words.append(rng.choice(["v2", "now", "tool", "api", "fn", "x"]))
    return styled(words, rng)


def vary_argument(name: str, aliases: list[str], rng: random.Random) -> str:
    name = rng.choice([name, name, *aliases])
    if rng.random() < 0.12:
        return made_up_word(rng) if rng.random() < 0.4 else f"{name}_{made_up_word(rng)}"
    return styled(words_of(name), rng) if rng.random() < 0.25 else name


def odd_text(rng: random.Random) -> str:
    """A value that nobody has seen: the model can only copy it."""
    kind = rng.randrange(4)
    if kind == 0:
        return " ".join(made_up_word(rng).capitalize() for _ in range(rng.randrange(1, 4)))
    if kind == 1:
        return "".join(rng.choices("ABCDEFGHJKLMNPQRSTUVWXYZ", k=rng.randrange(1, 4))) + rng.choice(["-", "", "_"]) + str(rng.randrange(10, 99999))
    if kind == 2:
        return " ".join(made_up_word(rng) for _ in range(rng.randrange(1, 5)))
    return f"{made_up_word(rng)}@{made_up_word(rng)}.{rng.choice(['com', 'org', 'net', 'io'])}"


class ToolBox:
    def __init__(self, files: list[dict], rng: random.Random) -> None:
        # Each file's slots are its own.
        self.tools = [{**tool, "slots": file["slots"]} for file in files for tool in file["tools"]]
        self.rng = rng

    def value(self, parameter: dict, slots: dict[str, list]) -> object:
        rng = self.rng
        kind = parameter["type"]
        if parameter.get("enum"):
            return rng.choice(parameter["enum"])
        drawn = rng.choice(slots[parameter["slot"]])
        if kind == "integer":
            return rng.randrange(1, 10 ** rng.randrange(1, 5)) if rng.random() < 0.5 else int(drawn)
        if kind == "number":
            return round(rng.uniform(0, 10 ** rng.randrange(1, 4)), rng.randrange(1, 3)) if rng.random() < 0.5 else drawn
        if kind == "string" and rng.random() < 0.2 and isinstance(drawn, str) and not re.fullmatch(r"[\d:\-/. ]+", drawn):
            return odd_text(rng)
        return drawn

    def offer(self, tool: dict) -> tuple[dict, dict[str, str]]:
        """A tool in the API's form, with names of this occasion, and the new name of each argument."""
        rng = self.rng
        names = {}
        for name, parameter in tool["parameters"].items():
            new = vary_argument(name, parameter.get("aliases", []), rng)
            names[name] = new if new not in names.values() else name
        properties = {names[n]: {"type": p["type"], **({"enum": p["enum"]} if p.get("enum") else {})} for n, p in tool["parameters"].items()}
        required = [names[n] for n, p in tool["parameters"].items() if p.get("required", True)]
        if len(properties) > 1 and rng.random() < 0.3:
            properties = dict(rng.sample(list(properties.items()), len(properties)))
        description = rng.choice(tool["descriptions"])
        if rng.random() < 0.04:
            description = ""
        function = {"name": vary_name(rng.choice(tool["names"]), rng), "description": description, "parameters": {"type": "object", "properties": properties, "required": required}}
        return {"type": "function", "function": function}, names

    def request(self, tool: dict) -> tuple[str, dict]:
        """A message that needs the tool, and the values in it by primary argument name."""
        request = self.rng.choice(tool["requests"])
        text, fixed = (request, {}) if isinstance(request, str) else (request["text"], request.get("fixed", {}))
        values = dict(fixed)
        for name, parameter in tool["parameters"].items():
            if "{" + name + "}" in text:
                value = self.value(parameter, tool["slots"])
                values[name] = value
                text = text.replace("{" + name + "}", str(value).lower() if isinstance(value, bool) else str(value))
        return text, values

    def others(self, tool: dict | None, count: int) -> list[dict]:
        chosen: list[dict] = []
        while len(chosen) < count:
            other = self.rng.choice(self.tools)
            if other is not tool:
                chosen.append(self.offer(other)[0])
        return chosen

    def shuffled(self, tools: list[dict]) -> list[dict]:
        return self.rng.sample(tools, len(tools))

    def needed(self) -> dict:
        """A turn whose reply is a call: offered tools, message, call, thought."""
        rng = self.rng
        tool = rng.choice(self.tools)
        offered, names = self.offer(tool)
        return {"tools": self.shuffled([offered, *self.others(tool, rng.choices([0, 1, 2], weights=[30, 35, 35])[0])]), **self.call(tool, offered, names)}

    def offer_all(self, tools: list[dict]) -> list[tuple[dict, dict, dict[str, str]]]:
        """Each tool with what is offered for it; no two bear the same name."""
        offers: list[tuple[dict, dict, dict[str, str]]] = []
        for tool in tools:
            for _ in range(5):
                offered, names = self.offer(tool)
                if all(offered["function"]["name"] != other["function"]["name"] for _, other, _ in offers):
                    offers.append((tool, offered, names))
                    break
        return offers

    def call(self, tool: dict, offered: dict, names: dict[str, str]) -> dict:
        """A message that needs the offered tool, and the call."""
        rng = self.rng
        text, values = self.request(tool)
        if rng.random() < 0.15:
            text = rng.choice(BEFORE) + text
        if rng.random() < 0.08 and not any(isinstance(v, str) for v in values.values()):
            text = text.lower()
        function = offered["function"]
        arguments = {new: values[old] for old, new in names.items() if old in values}
        order = list(function["parameters"]["properties"])
        arguments = {n: arguments[n] for n in order if n in arguments}
        return {
            "user": text,
            "call": describe_call(function["name"], arguments),
            "thought": f"The tool {function['name']} can do this.",
            "result": rng.choice(tool["results"]) if tool.get("results") else None,
        }

    def offered_in_vain(self) -> tuple[list[dict], str]:
        """Tools, and a request that none of them can do."""
        while True:
            tool = self.rng.choice(self.tools)
            tools = self.others(tool, self.rng.choices([1, 2, 3], weights=[45, 30, 25])[0])
            return tools, self.request(tool)[0]


def result_text(result: dict) -> str:
    return json.dumps(result)
