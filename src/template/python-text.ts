// Jinja values as Python prints them.
import type { RuntimeValue } from '@huggingface/jinja';

/** `str(value)`; nothing for an undefined value. */
export function pythonText(value: RuntimeValue): string {
  switch (value.type) {
    case 'UndefinedValue':
      return '';
    case 'StringValue':
      return String(value.value);
    default:
      return pythonRepr(value);
  }
}

function pythonRepr(value: RuntimeValue): string {
  switch (value.type) {
    case 'NullValue':
      return 'None';
    case 'BooleanValue':
      return value.value === true ? 'True' : 'False';
    case 'StringValue':
      return quote(String(value.value));
    case 'ArrayValue':
      return `[${items(value).map(pythonRepr).join(', ')}]`;
    case 'TupleValue': {
      const texts = items(value).map(pythonRepr);
      return texts.length === 1 ? `(${texts.join('')},)` : `(${texts.join(', ')})`;
    }
    case 'ObjectValue':
      return `{${entries(value)
        .map(([key, item]) => `${quote(key)}: ${pythonRepr(item)}`)
        .join(', ')}}`;
    default:
      // The library prints numbers as Python does.
      return value.toString();
  }
}

function items(value: RuntimeValue): readonly RuntimeValue[] {
  return value.value as readonly RuntimeValue[];
}

function entries(value: RuntimeValue): readonly (readonly [string, RuntimeValue])[] {
  return [...(value.value as ReadonlyMap<string, RuntimeValue>)];
}

/** Single quotes, unless the text has them and no double ones; control characters escaped. */
function quote(text: string): string {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'";
  const body = text.replace(/[\\\p{Cc}'"]/gu, (character) => {
    if (character === "'" || character === '"') {
      return character === mark ? `\\${character}` : character;
    }
    const short = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }[character];
    return short ?? `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
  return mark + body + mark;
}
