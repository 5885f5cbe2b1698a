// What a Go template's text tells about the model's output: the tags around its thinking and its tool calls.
import { namesOf, pipelinesOf, visitPipeline, type GoTemplate, type Node } from './go/index.js';
import type { ThinkingTags } from './thinking-parser.js';

/**
 * Tags around the thinking of earlier turns: the first and the last text of the innermost block that writes `.Thinking`
 * inside `range .Messages`. undefined when there are none.
 */
export function inferThinkingTags(template: GoTemplate): ThinkingTags | undefined {
  const messageLoops = collect(template.root, (node) => node.kind === 'range' && mentions(node, 'Messages'));
  const block = messageLoops.map((loop) => innermostWriting(bodiesOf(loop), 'Thinking')).find((found) => found !== undefined);
  const texts = (block ?? []).flatMap((node) => (node.kind === 'text' ? [node.text] : []));
  const open = texts.at(0)?.trim() ?? '';
  const close = texts.at(-1)?.trim() ?? '';
  return texts.length < 2 || open === '' || close === '' ? undefined : { open, close };
}

/** First literal of the block that writes `.ToolCalls`, up to its JSON; `{` when it begins with the JSON. */
export function inferToolCallTag(template: GoTemplate): string {
  const [block] = collect(template.root, (node) => node.kind === 'if' && mentions(node, 'ToolCalls'));
  const inside = block !== undefined && 'body' in block ? block.body : [];
  const [literal] = collect(inside, (node) => node.kind === 'text' && node.text.trim() !== '');
  const tag = literal?.kind === 'text' ? (literal.text.split('{')[0] ?? '').trim() : '';
  return tag === '' ? '{' : tag;
}

function bodiesOf(node: Node): readonly (readonly Node[])[] {
  return 'body' in node ? [node.body, ...(node.otherwise === undefined ? [] : [node.otherwise])] : [];
}

/** Nodes at any depth that pass the test, in the order of the source. */
function collect(nodes: readonly Node[], test: (node: Node) => boolean): Node[] {
  return nodes.flatMap((node) => [...(test(node) ? [node] : []), ...bodiesOf(node).flatMap((body) => collect(body, test))]);
}

function mentions(node: Node, name: string): boolean {
  let isMentioned = false;
  for (const pipeline of pipelinesOf(node)) {
    visitPipeline(pipeline, (expression) => {
      isMentioned ||= namesOf(expression).includes(name);
    });
  }
  return isMentioned;
}

function innermostWriting(bodies: readonly (readonly Node[])[], name: string): readonly Node[] | undefined {
  for (const body of bodies) {
    const inner = body.map((node) => innermostWriting(bodiesOf(node), name)).find((found) => found !== undefined);
    if (inner !== undefined) {
      return inner;
    }
    if (body.some((node) => node.kind === 'action' && mentions(node, name))) {
      return body;
    }
  }
  return undefined;
}
