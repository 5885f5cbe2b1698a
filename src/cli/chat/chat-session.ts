import { untilInterrupted, type CliContext } from '../context.js';
import type { ChatLine, WireMessage } from '../wire.js';
import { AnswerPrinter, formatMetrics } from './answer-printer.js';
import type { ChatSettings } from './settings.js';

/** One conversation: its settings and the turns so far. */
export class ChatSession {
  readonly settings: ChatSettings;
  readonly #context: CliContext;
  #messages: WireMessage[] = [];

  constructor(context: CliContext, settings: ChatSettings, messages: readonly WireMessage[] = []) {
    this.#context = context;
    this.settings = settings;
    this.#messages = [...messages];
  }

  get messages(): readonly WireMessage[] {
    return this.#messages;
  }

  clear(): void {
    this.#messages = [];
  }

  /** Loads a model without generating, and goes on with it. Throws ApiError when there is none of this name. */
  async load(model: string): Promise<void> {
    const { keepAlive, think } = this.settings;
    await this.#context.client.post('/api/generate', { model, keep_alive: keepAlive, think, stream: false });
    this.settings.model = model;
  }

  /** Replaces the system message from here on. */
  setSystem(text: string): void {
    this.settings.system = text;
    this.#messages.push({ role: 'system', content: text });
  }

  /** Sends a message and prints the answer; a failed turn is forgotten, an interrupted one is kept. */
  async send(content: string): Promise<void> {
    const { client, terminal, signals } = this.#context;
    const { model, format, think, keepAlive, options } = this.settings;
    this.#messages.push({ role: 'user', content });
    const request = { model, messages: this.#messages, format, options, think, keep_alive: keepAlive };
    const printer = new AnswerPrinter(terminal.stdout, this.settings);
    let last: ChatLine = {};
    try {
      await untilInterrupted(signals, async (signal) => {
        for await (const line of client.stream<ChatLine>('/api/chat', request, signal)) {
          printer.push({ thinking: line.message?.thinking, text: line.message?.content });
          last = line;
        }
      });
    } catch (error) {
      this.#messages.pop();
      throw error;
    }
    printer.finish();
    terminal.stdout.write('\n\n');
    const thinking = printer.thinking === '' ? {} : { thinking: printer.thinking };
    this.#messages.push({ role: 'assistant', content: printer.text, ...thinking });
    if (this.settings.isVerbose && last.done === true) {
      terminal.stderr.write(formatMetrics(last));
    }
  }
}
