"""The chat format of tars-demo: ChatML with tools and thinking. The Jinja template is what ships; `render` is the same in Python.

A prompt ends inside the thinking: `<think>\\n` lets the model think, an empty thinking block forbids it.
"""

from __future__ import annotations

import json

END_OF_TEXT = "<|endoftext|>"
START = "<|im_start|>"
END = "<|im_end|>"
SPECIAL_TOKENS = [END_OF_TEXT, START, END]
# Written by the model and seen by the server's parsers, so they are text and not control tokens.
TAG_TOKENS = ["<think>", "</think>", "<tool_call>", "</tool_call>"]

THINK = "<think>\n"
NO_THINK = "<think>\n\n</think>\n\n"
AFTER_THINKING = "\n</think>\n\n"

# A tool is one line, `name(argument: type, optional?: type): description`: a small model reads little.
CHAT_TEMPLATE = """{%- set system = messages[0]['content'] if messages and messages[0]['role'] == 'system' else '' -%}
{%- if system or tools -%}
{{- '<|im_start|>system\\n' + system -}}
{%- if tools -%}
{{- ('\\n\\n' if system else '') + '# Tools' -}}
{%- for tool in tools -%}
{%- set function = tool['function'] -%}
{{- '\\n' + function['name'] + '(' -}}
{%- if function['parameters'] and function['parameters']['properties'] -%}
{%- set required = function['parameters']['required'] or [] -%}
{%- for name, parameter in function['parameters']['properties'].items() -%}
{{- ('' if loop.first else ', ') + name + ('' if name in required else '?') + ': ' -}}
{%- if parameter['enum'] -%}
{{- parameter['enum'] | join('|') -}}
{%- elif parameter['type'] is string -%}
{{- parameter['type'] -}}
{%- else -%}
{{- (parameter['type'] or ['any']) | join('|') -}}
{%- endif -%}
{%- endfor -%}
{%- endif -%}
{{- ')' + (': ' + function['description'] if function['description'] else '') -}}
{%- endfor -%}
{%- endif -%}
{{- '<|im_end|>\\n' -}}
{%- endif -%}
{%- for message in messages -%}
{%- if not (loop.first and message['role'] == 'system') -%}
{%- set content = message['content'] or '' -%}
{%- if message['role'] == 'assistant' and '</think>' in content -%}
{%- set content = content.split('</think>')[-1].lstrip('\\n') -%}
{%- endif -%}
{{- '<|im_start|>' + message['role'] + '\\n' + content -}}
{%- if message['tool_calls'] -%}
{%- for call in message['tool_calls'] -%}
{{- ('\\n' if content or not loop.first else '') + '<tool_call>\\n{"name": "' + call['function']['name'] + '", "arguments": ' -}}
{{- call['function']['arguments'] if call['function']['arguments'] is string else call['function']['arguments'] | tojson -}}
{{- '}\\n</tool_call>' -}}
{%- endfor -%}
{%- endif -%}
{{- '<|im_end|>\\n' -}}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|im_start|>assistant\\n<think>\\n' -}}
{%- if enable_thinking is defined and not enable_thinking -%}
{{- '\\n</think>\\n\\n' -}}
{%- endif -%}
{%- endif -%}"""


def describe_tool(tool: dict) -> str:
    function = tool["function"]
    parameters = function.get("parameters") or {}
    required = parameters.get("required") or []
    parts = []
    for name, parameter in (parameters.get("properties") or {}).items():
        kind = parameter.get("type") or ["any"]
        words = parameter.get("enum") or ([kind] if isinstance(kind, str) else kind)
        parts.append(f"{name}{'' if name in required else '?'}: {'|'.join(words)}")
    description = function.get("description") or ""
    return f"{function['name']}({', '.join(parts)})" + (f": {description}" if description else "")


def describe_call(name: str, arguments: dict) -> str:
    return f'<tool_call>\n{{"name": "{name}", "arguments": {json.dumps(arguments)}}}\n</tool_call>'


def render_head(system: str, tools: list[dict]) -> str:
    if not system and not tools:
        return ""
    listed = "# Tools" + "".join("\n" + describe_tool(tool) for tool in tools) if tools else ""
    return f"{START}system\n{system}" + ("\n\n" if system and tools else "") + f"{listed}{END}\n"


def render_prompt(messages: list[dict], tools: list[dict] | None = None, think: bool = True) -> str:
    """What the template makes of messages whose contents are text (tool calls as their text)."""
    has_system = bool(messages) and messages[0]["role"] == "system"
    text = render_head(messages[0]["content"] if has_system else "", tools or [])
    for message in messages[1:] if has_system else messages:
        text += f"{START}{message['role']}\n{message['content']}{END}\n"
    return f"{text}{START}assistant\n" + (THINK if think else NO_THINK)


def training_pieces(chat: dict) -> tuple[str, list[list[tuple[str, bool]]]]:
    """A chat's head (system message and tools) and its branches, each as (text, whether the assistant has to write it).
    Branches go on from the same head and do not see each other; a chat of `messages` has one."""
    branches = chat["branches"] if "branches" in chat else [chat["messages"]]
    return render_head(chat.get("system", ""), chat.get("tools", [])), [message_pieces(messages) for messages in branches]


def message_pieces(messages: list[dict]) -> list[tuple[str, bool]]:
    """An answer's own `thought` stands before its content, and None stands for an earlier turn, which a prompt holds
    without any thinking block."""
    pieces = []
    for message in messages:
        if message["role"] != "assistant":
            pieces.append((f"{START}{message['role']}\n{message['content']}{END}\n", False))
            continue
        pieces.append((f"{START}assistant\n", False))
        thought = message.get("thought")
        if thought is None:
            pieces.append((f"{message['content']}{END}", True))
        elif thought == "":
            pieces += [(NO_THINK, False), (f"{message['content']}{END}", True)]
        else:
            pieces += [(THINK, False), (f"{thought}{AFTER_THINKING}{message['content']}{END}", True)]
        pieces.append(("\n", False))
    return pieces
