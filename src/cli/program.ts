// The command tree: names, flags and numbers of arguments. What a command does is in commands/.
import { Command, CommanderError } from 'commander';
import { errorMessage } from '../errors/index.js';
import { create, type CreateFlags } from './commands/create.js';
import { info } from './commands/info.js';
import { list } from './commands/list.js';
import { cp, rm, stop } from './commands/manage.js';
import { ps } from './commands/ps.js';
import { run, type RunFlags } from './commands/run.js';
import { serve } from './commands/serve.js';
import { show, type ShowFlags } from './commands/show.js';
import { version } from './commands/version.js';
import type { CliContext } from './context.js';

type Action = (context: CliContext, args: readonly string[], command: Command) => Promise<void>;

/** How many arguments a command takes. */
interface Arity {
  readonly least: number;
  readonly most: number;
}

const exactly = (count: number): Arity => ({ least: count, most: count });
const atLeast = (count: number): Arity => ({ least: count, most: Infinity });
const upTo = (count: number): Arity => ({ least: 0, most: count });

function checkArity(numArgs: number, { least, most }: Arity): void {
  if (numArgs >= least && numArgs <= most) {
    return;
  }
  if (least === most) {
    throw new Error(`accepts ${least} arg(s), received ${numArgs}`);
  }
  throw new Error(
    numArgs < least
      ? `requires at least ${least} arg(s), only received ${numArgs}`
      : `accepts at most ${most} arg(s), received ${numArgs}`,
  );
}

/** Flags without a value; `--flag=true` and `--flag=false` are accepted for them too. */
const switches = 'verbose|nowordwrap|insecure|hidethinking|truncate|license|modelfile|parameters|template|system|version';

/** Brings Go's flag spellings into the form that commander reads. */
export function normalizeArguments(argv: readonly string[]): readonly string[] {
  const end = argv.indexOf('--');
  const flags = end < 0 ? argv : argv.slice(0, end);
  const normalized = flags.flatMap((arg) => {
    if (arg === '--think') {
      return ['--think=true']; // its value is optional and never the next argument
    }
    const match = new RegExp(`^--(${switches})=(true|false)$`).exec(arg);
    if (match === null) {
      return [arg];
    }
    return match[2] === 'true' ? [`--${match[1]}`] : [];
  });
  return end < 0 ? normalized : [...normalized, ...argv.slice(end)];
}

const notAvailable =
  (what: string): Action =>
  async (_context, [model = '']) => {
    throw new Error(`${what} is not available yet; make ${model} from a GGUF file with 'tars create'`);
  };

function buildProgram(context: CliContext): Command {
  const program = new Command('tars')
    .description('Large language model runner')
    .usage('[command] [flags]')
    .option('-v, --version', 'Show version information')
    .configureOutput({ writeOut: (text) => context.terminal.stdout.write(text), writeErr: () => {} })
    .exitOverride()
    .allowExcessArguments()
    .action(async (flags: { version?: boolean }, command: Command) => {
      if (command.args.length > 0) {
        throw new Error(`unknown command ${JSON.stringify(command.args[0])} for "tars"`);
      }
      await (flags.version === true ? version(context) : command.outputHelp());
    });
  const add = (name: string, usage: string, description: string, arity: Arity, action: Action, needsServer = true): Command =>
    program
      .command(name)
      .usage(usage)
      .description(description)
      .allowExcessArguments()
      .exitOverride()
      .action(async (_flags: object, command: Command) => {
        checkArity(command.args.length, arity);
        if (needsServer) {
          await context.client.heartbeat();
        }
        await action(context, command.args, command);
      });

  add('serve', '[flags]', 'Start the server', exactly(0), (ctx) => serve(ctx), false).alias('start');
  add('info', '', 'Show versions, processor and settings', exactly(0), (ctx) => info(ctx), false);
  add('create', 'MODEL [flags]', 'Create a model', exactly(1), (ctx, [model = ''], command) =>
    create(ctx, model, command.opts<CreateFlags>()),
  )
    .option('-f, --file <path>', 'Path of the Modelfile (default "Modelfile", - for standard input)')
    .option('-q, --quantize <type>', 'Quantize the model to this type');
  add('show', 'MODEL [flags]', 'Show information for a model', exactly(1), (ctx, [model = ''], command) =>
    show(ctx, model, command.opts<ShowFlags>()),
  )
    .option('--license', 'Show license of a model')
    .option('--modelfile', 'Show Modelfile of a model')
    .option('--parameters', 'Show parameters of a model')
    .option('--template', 'Show template of a model')
    .option('--system', 'Show system message of a model')
    .option('-v, --verbose', 'Show detailed model information');
  add('run', 'MODEL [PROMPT...] [flags]', 'Run a model', atLeast(1), (ctx, [model = '', ...words], command) =>
    run(ctx, model, words, command.opts<RunFlags>()),
  )
    .option('--keepalive <duration>', 'Duration to keep a model loaded (e.g. 5m)')
    .option('--verbose', 'Show timings for response')
    .option('--insecure', 'Use an insecure registry')
    .option('--nowordwrap', "Don't wrap words to the next line automatically")
    .option('--format <format>', 'Response format (json, or a JSON schema)')
    .option('--think <level>', 'Enable thinking: true, false, high, medium, low or max')
    .option('--hidethinking', 'Hide thinking output (if provided)')
    .option('--truncate', 'For embedding models: cut inputs that exceed the context length')
    .option('--dimensions <count>', 'For embedding models: number of dimensions of the output');
  add('stop', 'MODEL', 'Stop a running model', exactly(1), (ctx, [model = '']) => stop(ctx, model));
  add('pull', 'MODEL [flags]', 'Pull a model from a registry', exactly(1), notAvailable('pull'), false).option('--insecure');
  add('push', 'MODEL [flags]', 'Push a model to a registry', exactly(1), notAvailable('push'), false).option('--insecure');
  add('list', '[PREFIX]', 'List models', upTo(1), (ctx, [prefix]) => list(ctx, prefix)).alias('ls');
  add('ps', '[PREFIX]', 'List running models', upTo(1), (ctx, [prefix]) => ps(ctx, prefix));
  add('cp', 'SOURCE DESTINATION', 'Copy a model', exactly(2), (ctx, [source = '', target = '']) => cp(ctx, source, target));
  add('rm', 'MODEL [MODEL...]', 'Remove a model', atLeast(1), (ctx, models) => rm(ctx, models));
  return program;
}

/** commander's complaints in Ollama's words. */
function usageError(error: CommanderError): string {
  const [, flag = ''] = /'([^' ]+)[^']*'/.exec(error.message) ?? [];
  switch (error.code) {
    case 'commander.unknownOption':
      return flag.startsWith('--')
        ? `unknown flag: ${flag}`
        : `unknown shorthand flag: ${JSON.stringify(flag[1] ?? '')} in ${flag}`;
    case 'commander.optionMissingArgument':
      return `flag needs an argument: ${/--[\w-]+/.exec(error.message)?.[0] ?? flag}`;
    default:
      return error.message.replace(/^error: /, '');
  }
}

/** Runs one command line (without the program's own name); returns the exit status. */
export async function runProgram(context: CliContext, argv: readonly string[]): Promise<number> {
  try {
    await buildProgram(context).parseAsync([...normalizeArguments(argv)], { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) {
      return 0;
    }
    const message = error instanceof CommanderError ? usageError(error) : errorMessage(error);
    context.terminal.stderr.write(`Error: ${message}\n`);
    return 1;
  }
}
