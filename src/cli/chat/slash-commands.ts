// The commands of the interactive prompt. Each prints its own answer; a line that is no command is for the model.
import { errorMessage } from '../../errors/index.js';
import { formatParameters, parseModelName, parseParameter } from '../../registry/index.js';
import { list } from '../commands/list.js';
import { modelFacts } from '../commands/show.js';
import { ApiError } from '../api-client.js';
import type { CliContext } from '../context.js';
import type { ShowAnswer } from '../wire.js';
import type { ChatSession } from './chat-session.js';
import { helpTexts, parameterHelp } from './help.js';
import { parseThink } from './settings.js';

export interface LineHistory {
  setEnabled(isEnabled: boolean): void;
}

export type CommandOutcome = 'handled' | 'exit';

export class SlashCommands {
  readonly #context: CliContext;
  readonly #session: ChatSession;
  readonly #history: LineHistory;

  constructor(context: CliContext, session: ChatSession, history: LineHistory) {
    this.#context = context;
    this.#session = session;
    this.#history = history;
  }

  /** Runs one line that begins with a slash. Throws what the server answered when it fails. */
  async run(line: string): Promise<CommandOutcome> {
    const [command = '', ...args] = line.trim().split(/\s+/);
    switch (command) {
      case '/bye':
      case '/exit':
        return 'exit';
      case '/?':
      case '/help':
        this.#context.terminal.stderr.write(`${helpTexts[args[0]?.replace(/^\//, '') ?? ''] ?? helpTexts['']}\n`);
        break;
      case '/clear':
        this.#session.clear();
        this.#print('Cleared session context');
        break;
      case '/list':
        await list(this.#context, args[0]);
        break;
      case '/load':
        await this.#load(args[0]);
        break;
      case '/save':
        await this.#save(args[0]);
        break;
      case '/set':
        this.#set(args, line);
        break;
      case '/show':
        await this.#show(args[0]);
        break;
      default:
        this.#print(`Unknown command '${command}'. Type /? for help`);
    }
    return 'handled';
  }

  #print(text: string): void {
    this.#context.terminal.stdout.write(`${text}\n`);
  }

  async #load(model: string | undefined): Promise<void> {
    if (model === undefined) {
      this.#print('Usage:\n  /load <modelname>');
      return;
    }
    this.#print(`Loading model '${model}'`);
    try {
      await this.#session.load(model);
      this.#session.clear();
    } catch (error) {
      this.#print(
        error instanceof ApiError && error.status === 404 ? `Couldn't find model '${model}'` : `error: ${errorMessage(error)}`,
      );
    }
  }

  async #save(model: string | undefined): Promise<void> {
    if (model === undefined) {
      this.#print('Usage:\n  /save <modelname>');
      return;
    }
    if (parseModelName(model) === undefined) {
      this.#print(`error: The model name '${model}' is invalid`);
      return;
    }
    const { settings, messages } = this.#session;
    await this.#context.client.post('/api/create', {
      model,
      from: settings.model,
      system: settings.system || undefined,
      parameters: Object.keys(settings.options).length > 0 ? settings.options : undefined,
      messages: messages.length > 0 ? messages.map(({ role, content }) => ({ role, content })) : undefined,
      stream: false,
    });
    this.#print(`Created new model '${model}'`);
  }

  #set([name = '', ...values]: readonly string[], line: string): void {
    const { settings } = this.#session;
    switch (name) {
      case '':
        this.#context.terminal.stderr.write(`${helpTexts['set']}\n`);
        break;
      case 'parameter':
        this.#setParameter(values);
        break;
      case 'system':
        this.#session.setSystem(unquote(line.replace(/^\s*\S+\s+\S+\s?/, '')));
        this.#print('Set system message.');
        break;
      case 'history':
      case 'nohistory':
        this.#history.setEnabled(name === 'history');
        break;
      case 'wordwrap':
      case 'nowordwrap':
        settings.isWordWrapped = name === 'wordwrap';
        this.#print(`Set '${name}' mode.`);
        break;
      case 'verbose':
      case 'quiet':
        settings.isVerbose = name === 'verbose';
        this.#print(`Set '${name}' mode.`);
        break;
      case 'format':
        settings.format = values[0] === 'json' ? 'json' : settings.format;
        this.#print(
          values[0] === 'json'
            ? "Set format to 'json' mode."
            : "Invalid or missing format. For 'json' mode use '/set format json'",
        );
        break;
      case 'noformat':
        settings.format = undefined;
        this.#print('Disabled format.');
        break;
      case 'think':
        settings.think = parseThink(values[0] ?? '');
        this.#print(values[0] === undefined ? "Set 'think' mode." : `Set 'think' mode to '${values[0]}'.`);
        break;
      case 'nothink':
        settings.think = false;
        this.#print("Set 'nothink' mode.");
        break;
      default:
        this.#print(`Unknown command '/set ${name}'. Type /? for help`);
    }
  }

  #setParameter([name, ...values]: readonly string[]): void {
    if (name === undefined || values.length === 0) {
      this.#context.terminal.stderr.write(`${parameterHelp}\n`);
      return;
    }
    try {
      this.#session.settings.options[name] = parseParameter(name, values);
      this.#print(`Set parameter '${name}' to '${values.join(', ')}'`);
    } catch (error) {
      this.#print(`Couldn't set parameter: ${JSON.stringify(errorMessage(error))}`);
    }
  }

  async #show(topic: string | undefined): Promise<void> {
    if (topic === undefined || !['info', 'license', 'modelfile', 'parameters', 'system', 'template'].includes(topic)) {
      const unknown = topic === undefined ? '' : `Unknown command '/show ${topic}'. Type /? for help\n`;
      this.#context.terminal.stderr.write(unknown || `${helpTexts['show']}\n`);
      return;
    }
    const { settings } = this.#session;
    const { model, system, options } = settings;
    const answer = await this.#context.client.post<ShowAnswer>('/api/show', { model, name: model, system, options });
    switch (topic) {
      case 'info':
        this.#context.terminal.stderr.write(modelFacts(answer, false));
        break;
      case 'license':
        this.#print(answer.license || 'No license was specified for this model.');
        break;
      case 'modelfile':
        this.#print(answer.modelfile ?? '');
        break;
      case 'parameters':
        this.#print(parametersText(answer.parameters ?? '', settings.options));
        break;
      case 'system':
        this.#print(settings.system || answer.system || 'No system message was specified for this model.');
        break;
      default:
        this.#print(answer.template || 'No prompt template was specified for this model.');
    }
  }
}

function parametersText(ofModel: string, ofUser: Readonly<Record<string, unknown>>): string {
  const indent = (text: string): string => text.replace(/^/gm, '  ');
  const modelPart = `Model defined parameters:\n${indent(ofModel || 'No additional parameters were specified for this model.')}\n`;
  return Object.keys(ofUser).length === 0
    ? modelPart
    : `${modelPart}\nUser defined parameters:\n${indent(formatParameters(ofUser))}\n`;
}

/** Text of `/set system`, without the quotes that may be around it. */
function unquote(text: string): string {
  const trimmed = text.trim();
  const quote = trimmed.startsWith('"""') ? '"""' : trimmed.startsWith('"') ? '"' : '';
  const isQuoted = quote !== '' && trimmed.length >= 2 * quote.length && trimmed.endsWith(quote);
  return isQuoted ? trimmed.slice(quote.length, -quote.length) : trimmed;
}
