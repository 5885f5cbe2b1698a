import { asObject, jsonSpanEnd, parseObject } from './json-span.js';
import { partialTagLength } from './partial-tag.js';

export interface ParsedToolCall {
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

export interface ToolCallPiece {
  readonly text: string;
  readonly calls: readonly ParsedToolCall[];
}

/** Splits a streamed answer into text and tool calls. Whatever turns out not to be a call is text: nothing is lost. */
export interface ToolCallParser {
  push(text: string): ToolCallPiece;
  /** What is still held when the answer ends. */
  flush(): ToolCallPiece;
}

/** How a model writes its tool calls. */
export type ToolCallFormat =
  /** Each call as JSON between two tags (Hermes, Qwen). */
  | { readonly kind: 'tagged'; readonly open: string; readonly close: string }
  /** Calls follow the tag, in any shape that names a declared tool before a JSON object. */
  | { readonly kind: 'generic'; readonly tag: string };

/** Format that a Jinja template teaches its model, found by the markers in its text. */
export function jinjaToolCallFormat(source: string): ToolCallFormat {
  if (source.includes('<tool_call>')) {
    return { kind: 'tagged', open: '<tool_call>', close: '</tool_call>' };
  }
  const tag = ['[TOOL_CALLS]', '<|tool_call|>', '<|tool_call_start|>', '<|python_tag|>'].find((marker) =>
    source.includes(marker),
  );
  return { kind: 'generic', tag: tag ?? '{' };
}

/** `toolNames`: the declared tools; the generic format reports no others. */
export function createToolCallParser(format: ToolCallFormat, toolNames: readonly string[]): ToolCallParser {
  return format.kind === 'tagged' ? new TaggedParser(format.open, format.close) : new GenericParser(format.tag, toolNames);
}

class TaggedParser implements ToolCallParser {
  readonly #open: string;
  readonly #close: string;
  #held = '';
  #isInside = false;
  /** Blanks after a call are layout between calls; they are text only when text follows. */
  #blanks = '';
  #isAfterCall = false;

  constructor(open: string, close: string) {
    this.#open = open;
    this.#close = close;
  }

  push(piece: string): ToolCallPiece {
    this.#held += piece;
    const calls: ParsedToolCall[] = [];
    let text = '';
    for (;;) {
      const tag = this.#isInside ? this.#close : this.#open;
      const place = this.#held.indexOf(tag);
      if (place === -1) {
        break;
      }
      const before = this.#held.slice(0, place);
      this.#held = this.#held.slice(place + tag.length);
      if (!this.#isInside) {
        text += this.#asText(before);
      } else {
        const call = readCall(parseObject(before.trim()));
        if (call === undefined) {
          text += this.#asText(this.#open + before + this.#close);
        } else {
          calls.push(call);
          this.#isAfterCall = true;
        }
      }
      this.#isInside = !this.#isInside;
    }
    if (!this.#isInside) {
      const heldFrom = this.#held.length - partialTagLength(this.#held, this.#open);
      text += this.#asText(this.#held.slice(0, heldFrom));
      this.#held = this.#held.slice(heldFrom);
    }
    return { text, calls };
  }

  flush(): ToolCallPiece {
    const held = this.#held;
    this.#held = '';
    const isInside = this.#isInside;
    this.#isInside = false;
    // Small models often end their turn without the closing tag.
    const call = isInside ? readCall(parseObject(held.trim())) : undefined;
    if (call !== undefined) {
      return { text: '', calls: [call] };
    }
    return { text: this.#asText(isInside ? this.#open + held : held), calls: [] };
  }

  #asText(text: string): string {
    if (!this.#isAfterCall) {
      return text;
    }
    this.#blanks += text;
    if (this.#blanks.trim() === '') {
      return '';
    }
    const whole = this.#blanks;
    this.#blanks = '';
    this.#isAfterCall = false;
    return whole;
  }
}

class GenericParser implements ToolCallParser {
  readonly #tag: string;
  /** Longest first: of two names at one place the longer one is meant. */
  readonly #names: readonly string[];
  #held = '';
  #state: 'searching' | 'inside' | 'off' = 'searching';
  #hasCalled = false;

  constructor(tag: string, toolNames: readonly string[]) {
    this.#tag = tag;
    this.#names = [...toolNames].sort((a, b) => b.length - a.length);
  }

  push(piece: string): ToolCallPiece {
    this.#held += piece;
    let text = '';
    if (this.#state === 'searching') {
      text += this.#search();
    }
    if (this.#state === 'off') {
      text += this.#held;
      this.#held = '';
    }
    return { text, calls: this.#mayComplete(piece) ? this.#takeCalls() : [] };
  }

  flush(): ToolCallPiece {
    const held = this.#held;
    this.#held = '';
    // After a call, brackets and separators that closed it are no text.
    return { text: /^[\s\]}>,;]*$/.test(held) && this.#hasCalled ? '' : held, calls: [] };
  }

  /** A call ends with a brace; looking only then keeps long arguments that come in many pieces from costing their square. */
  #mayComplete(piece: string): boolean {
    return this.#state === 'inside' && piece.includes('}');
  }

  /** Text before the tag; moves to the next state when the tag is found or cannot come any more. */
  #search(): string {
    const place = this.#held.indexOf(this.#tag);
    const isBracket = this.#tag === '{' || this.#tag === '[';
    if (isBracket && this.#held.trim() !== '' && this.#held.trimStart()[0] !== this.#tag) {
      // A bracket in the middle of an answer is most likely code.
      this.#state = 'off';
      return '';
    }
    if (place !== -1) {
      this.#state = 'inside';
    }
    const heldFrom = place === -1 ? this.#held.length - partialTagLength(this.#held, this.#tag) : place;
    const text = this.#held.slice(0, isBracket ? 0 : heldFrom);
    this.#held = this.#held.slice(text.length);
    return text;
  }

  #takeCalls(): ParsedToolCall[] {
    const calls: ParsedToolCall[] = [];
    for (let call = this.#takeCall(); call !== undefined; call = this.#takeCall()) {
      calls.push(call);
      this.#hasCalled = true;
    }
    return calls;
  }

  #takeCall(): ParsedToolCall | undefined {
    const found = this.#findName();
    if (found === undefined) {
      return undefined;
    }
    // The object may hold the name (`{"name": "f", …}`) or follow it (`f{…}`).
    for (let start = this.#held.indexOf('{'); start !== -1;) {
      const end = jsonSpanEnd(this.#held, start);
      if (end === undefined) {
        return undefined;
      }
      const object = end > found.place ? parseObject(this.#held.slice(start, end)) : undefined;
      const isUndeclared = typeof object?.['name'] === 'string' && start < found.place && object['name'] !== found.name;
      if (object !== undefined && !isUndeclared) {
        this.#held = this.#held.slice(end);
        return { name: found.name, arguments: argumentsOf(object, found.name) };
      }
      // A call of an undeclared tool is skipped as a whole: a name inside its arguments means nothing.
      start = this.#held.indexOf('{', isUndeclared ? end : start + 1);
    }
    return undefined;
  }

  /** Place of a name that is not part of a longer word. */
  #placeOf(name: string): number {
    for (let place = this.#held.indexOf(name); place !== -1; place = this.#held.indexOf(name, place + 1)) {
      if (!isPartOfName(this.#held.charAt(place - 1)) && !isPartOfName(this.#held.charAt(place + name.length))) {
        return place;
      }
    }
    return -1;
  }

  #findName(): { name: string; place: number } | undefined {
    let first: { name: string; place: number } | undefined;
    for (const name of this.#names) {
      const place = this.#placeOf(name);
      if (place !== -1 && (first === undefined || place < first.place)) {
        first = { name, place };
      }
    }
    return first;
  }
}

function isPartOfName(character: string): boolean {
  return /[\w.-]/.test(character);
}

function readCall(object: Readonly<Record<string, unknown>> | undefined): ParsedToolCall | undefined {
  const inner = object === undefined ? undefined : (asObject(object['function']) ?? object);
  const name = inner?.['name'];
  return inner !== undefined && typeof name === 'string' ? { name, arguments: argumentsOf(inner, name) } : undefined;
}

/** Arguments in an object: under `arguments` or `parameters` (object or JSON text), under the tool's name, or itself. */
function argumentsOf(object: Readonly<Record<string, unknown>>, name: string): Readonly<Record<string, unknown>> {
  for (const candidate of [object, ...Object.values(object).map(asObject)]) {
    if (candidate === undefined) {
      continue;
    }
    for (const key of ['arguments', 'parameters']) {
      const value = candidate[key];
      const found = typeof value === 'string' ? parseObject(value) : asObject(value);
      if (found !== undefined && typeof candidate['name'] === 'string') {
        return found;
      }
    }
  }
  return asObject(object[name]) ?? (typeof object['name'] === 'string' ? {} : object);
}
