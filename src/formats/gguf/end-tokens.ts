// Which ids end a generation. Files name only one or two of them, so the others are known by their text, as in llama.cpp
// (a chat model whose end-of-turn token is missed talks to itself without end).

/** Texts that mean "end" whatever type the file gives them: wrong types are a known fault of converters. */
const certainEndTexts: ReadonlySet<string> = new Set([
  '<|eot_id|>',
  '<|eom_id|>',
  '<|im_end|>',
  '<|end|>',
  '<|return|>',
  '<|call|>',
  '<|calls|>',
  '<|flush|>',
  '<|endoftext|>',
  '<|end_of_text|>',
  '<end_of_turn>',
  '<end_of_utterance>',
  '<｜end▁of▁sentence｜>',
  '<turn|>',
  '<|tool_response>',
  // A model that fills in the middle has left the file that it was asked about when it writes one of these.
  '<|fim_pad|>',
  '<|fim_repo|>',
  '<|repo_name|>',
  '<|file_sep|>',
]);

/** Texts that ordinary vocabularies contain as well: they end a generation only where they are control tokens. */
const possibleEndTexts: ReadonlySet<string> = new Set([
  '</s>',
  '<eos>',
  '<EOT>',
  '_<EOT>',
  '[EOT]',
  '[EOS]',
  '<fim-pad>',
  '<fim_pad>',
  '<PAD>',
  '<fim-repo>',
  '<REPO>',
  '<reponame>',
]);

const controlType = 3;

/**
 * Ids that end a generation: the ids that the file names, in their order, then those known by their text.
 * In the harmony and solar formats `<|end|>` ends a message, not the turn, so it is left out there.
 */
export function findEndIds(
  named: readonly (number | undefined)[],
  tokens: readonly string[],
  tokenTypes: ArrayLike<number>,
): number[] {
  const ids = new Set(named.filter((id) => id !== undefined));
  tokens.forEach((text, id) => {
    if (certainEndTexts.has(text) || (possibleEndTexts.has(text) && tokenTypes[id] === controlType)) {
      ids.add(id);
    }
  });
  const texts = new Set([...ids].map((id) => tokens[id]));
  const isHarmony = texts.has('<|return|>') && texts.has('<|call|>');
  const isSolar = texts.has('<|flush|>') && (texts.has('<|call|>') || texts.has('<|calls|>'));
  return [...ids].filter((id) => !((isHarmony || isSolar) && tokens[id] === '<|end|>'));
}

/** Types with every end token marked as control, so that none is ever printed; the same object when none has to change. */
export function markControl(tokenTypes: ArrayLike<number>, ids: readonly number[]): ArrayLike<number> {
  if (ids.every((id) => tokenTypes[id] === controlType)) {
    return tokenTypes;
  }
  const marked = Uint8Array.from(tokenTypes);
  for (const id of ids) {
    marked[id] = controlType;
  }
  return marked;
}
