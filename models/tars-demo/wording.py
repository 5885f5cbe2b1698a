"""Ways to say the same thing: what a user's message may look like besides how it was written down."""

from __future__ import annotations

import random
import re

BEFORE = ["Please tell me: ", "Hey, ", "Hi, ", "Hello, ", "Can you tell me: ", "I have a question. ", "One more thing: ", "OK. ", "Ok, ", "Quick question: ", "So, ", "And ", "Hi! ", "Sorry, ", "Um, ", "Now, ", "Hey there, ", "Next question: ", "I wonder: ", "Please help. ", "Thanks. "]
AFTER = [" Please.", " Thanks.", " Please be brief.", " I am new here.", " I want to know.", " please", " thanks", " Thank you!", " Any idea?", " Just curious.", " Explain.", " Help me out.", " Tell me.", " ?", " Thanks in advance."]

# Words that may stand for each other in a question to this model. A group is replaced as whole words.
SYNONYMS = [
    ["delete", "remove", "erase", "wipe", "get rid of", "drop"],
    ["computer", "machine", "laptop", "box", "PC", "system"],
    ["show", "display", "print", "give", "list"],
    ["change", "set", "adjust", "modify", "alter", "configure", "switch"],
    ["use", "run", "try", "employ"],
    ["start", "launch", "boot", "bring up", "fire up"],
    ["need", "require", "want"],
    ["big", "large", "huge"],
    ["small", "little", "tiny"],
    ["fast", "quick", "speedy"],
    ["folder", "directory", "path", "location"],
    ["option", "setting", "parameter", "flag", "switch"],
    ["command", "command line", "shell command"],
    ["program", "software", "application", "app", "tool"],
    ["server", "service", "daemon", "TARS", "TARS server", "this server"],
    ["answer", "reply", "response", "output"],
    ["request", "call", "query"],
    ["script", "program", "code"],
    ["support", "handle", "understand", "accept", "work with", "read"],
    ["find", "see", "look up", "check"],
    ["stop", "halt", "end", "quit"],
    ["load", "import", "add", "open", "bring in"],
    ["make", "create", "build"],
    ["talk to", "call", "reach", "contact", "connect to"],
    ["graphics card", "GPU", "video card"],
    ["memory", "RAM"],
    ["disk", "drive", "hard disk", "storage"],
    ["kind", "type", "sort"],
    ["example", "sample", "snippet"],
    ["terminal", "shell", "console", "command line"],
    ["which", "what"],
    ["How do I", "How can I", "How would I", "How could I", "How should I", "Tell me how to", "Show me how to", "What do I do to", "I want to know how to", "How to", "What is the way to", "How does one", "How might I", "Explain how to", "What's the way to", "I'd like to", "I want to", "I need to", "Can you tell me how to"],
    ["What is", "What's", "Tell me about", "Explain", "Describe", "Do you know what is"],
    ["Can I", "Could I", "May I", "Is it possible to", "Am I able to"],
    ["Does it", "Can it", "Will it", "Does TARS", "Can TARS"],
    ["Is there", "Do you have", "Do we have", "Does TARS have"],
    ["Give me", "Show me", "I need", "I would like", "Let me have", "Send me"],
    ["Where is", "Where do I find", "Where can I find", "Where's"],
    ["my own", "my", "a"],
    ["all", "every", "all the"],
    ["right now", "currently", "at the moment", "now"],
    ["happens", "goes on"],
    ["explain", "describe", "tell me about", "clarify"],
    ["docs", "documentation", "manual"],
    ["license", "licence"],
    ["model", "language model", "LLM"],
    ["weights", "model file"],
    ["download", "get", "fetch"],
    ["error", "problem", "message", "failure"],
    ["text", "prompt", "message"],
    ["users", "people", "clients"],
    ["simultaneously", "at the same time", "at once", "in parallel", "concurrently"],
    ["thoughts", "reasoning", "thinking"],
    ["turn off", "disable", "switch off", "deactivate"],
    ["turn on", "enable", "switch on", "activate"],
    ["automatically", "by itself", "on its own"],
    ["name", "title"],
]
_GROUPS: dict[str, list[list[str]]] = {}
for _group in SYNONYMS:
    for _word in _group:
        _GROUPS.setdefault(_word.lower(), []).append(_group)
_LONGEST_FIRST = sorted(_GROUPS, key=len, reverse=True)
_WORD = re.compile(r"(?<![\w./-])(" + "|".join(map(re.escape, _LONGEST_FIRST)) + r")(?![\w./-])", re.IGNORECASE)
_FILLERS = {"a", "an", "the", "please", "do", "to", "of", "i", "my", "is", "me", "it", "for", "with", "can", "you", "does", "this"}


def misspell(text: str, rng: random.Random) -> str:
    """Swaps, drops, doubles or replaces one letter, as people do when they type."""
    places = [i for i in range(1, len(text) - 2) if text[i].isalpha() and text[i + 1].isalpha()]
    if not places:
        return text
    at = rng.choice(places)
    kind = rng.randrange(4)
    if kind == 0:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    if kind == 1:
        return text[:at] + text[at + 1 :]
    if kind == 2:
        return text[:at] + text[at] + text[at:]
    return text[:at] + rng.choice("abcdefghijklmnopqrstuvwxyz") + text[at + 1 :]


def with_synonyms(text: str, rng: random.Random, share: float) -> str:
    def other(match: re.Match) -> str:
        found = match.group(0)
        if rng.random() >= share:
            return found
        word = rng.choice(rng.choice(_GROUPS[found.lower()]))
        return word[0].upper() + word[1:] if found[0].isupper() else word

    return _WORD.sub(other, text)


def without_some_words(text: str, rng: random.Random) -> str:
    words = text.split(" ")
    kept = [w for w in words if not (w.lower() in _FILLERS and rng.random() < 0.4) and not rng.random() < 0.03]
    return " ".join(kept) if len(kept) >= 2 else text


def vary(text: str, rng: random.Random, *, is_exact: bool = False) -> str:
    """Another spelling of a message. `is_exact`: it holds values to copy, so its words stay."""
    if not is_exact:
        if rng.random() < 0.45:
            text = with_synonyms(text, rng, 0.5)
        if rng.random() < 0.15:
            text = without_some_words(text, rng)
    if rng.random() < 0.16:
        before = rng.choice(BEFORE)
        keeps_case = before.rstrip().endswith((".", "!", ":")) or is_exact
        text = before + (text if keeps_case else text[:1].lower() + text[1:])
    if rng.random() < 0.1:
        text = (text if text.endswith(("?", ".", "!")) or is_exact else text + ".") + rng.choice(AFTER)
    if is_exact:
        return text
    if rng.random() < 0.22:
        text = text.lower()
    if rng.random() < 0.25:
        text = text.rstrip("?.!")
    if rng.random() < 0.12:
        text = misspell(text, rng)
    if rng.random() < 0.03:
        text = text.upper()
    return text
