"""The ChatML format of tars-demo: what the chat template renders, and which tokens are the assistant's."""

from tokenizers import Tokenizer

END_OF_TEXT = "<|endoftext|>"
START = "<|im_start|>"
END = "<|im_end|>"
SPECIAL_TOKENS = [END_OF_TEXT, START, END]

# A system message is rendered where the caller gives one; there is no built-in default, because the model needs none.
CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


def render_prompt(messages: list[dict]) -> str:
    body = "".join(f"{START}{m['role']}\n{m['content']}{END}\n" for m in messages)
    return f"{body}{START}assistant\n"


def encode_chat(tokenizer: Tokenizer, messages: list[dict]) -> tuple[list[int], list[bool]]:
    """Token ids of a chat, and for each whether the assistant has to write it (its text and the end mark)."""
    ids: list[int] = []
    wanted: list[bool] = []

    def add(text: str, is_wanted: bool) -> None:
        piece = tokenizer.encode(text, add_special_tokens=False).ids
        ids.extend(piece)
        wanted.extend([is_wanted] * len(piece))

    for message in messages:
        is_assistant = message["role"] == "assistant"
        add(f"{START}{message['role']}\n", False)
        add(f"{message['content']}{END}", is_assistant)
        add("\n", False)
    return ids, wanted
