import { readFile, readdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import {
  addParameter,
  decodeModelfile,
  deprecatedParameters,
  digestOfFile,
  parseModelName,
  parseModelfile,
  type ModelfileCommand,
} from '../../registry/index.js';
import { untilInterrupted, type CliContext } from '../context.js';
import { ProgressDisplay } from '../progress.js';
import type { ProgressLine } from '../wire.js';

export interface CreateFlags {
  /** Path of the Modelfile, `-` for stdin; undefined takes `Modelfile`, or the folder itself when there is none. */
  readonly file?: string;
  readonly quantize?: string;
}

/** Body of POST /api/create, without the files that are still to be uploaded. */
interface CreateBody {
  from?: string;
  template?: string;
  system?: string;
  renderer?: string;
  parser?: string;
  requires?: string;
  license?: string[];
  parameters?: Record<string, unknown>;
  messages?: { role: string; content: string }[];
}

/** Makes a model from a Modelfile: uploads the files that it names, then lets the server build the model. */
export async function create(context: CliContext, model: string, flags: CreateFlags): Promise<void> {
  if (parseModelName(model) === undefined) {
    throw new Error(`invalid model name: ${model}`);
  }
  const { text, folder } = await readModelfile(context, flags.file);
  const { body, filePaths } = await createBody(context, parseModelfile(text), folder);
  const progress = new ProgressDisplay(context.terminal.stderr);
  try {
    await untilInterrupted(context.signals, async (signal) => {
      const files: Record<string, string> = {};
      for (const filePath of filePaths) {
        files[path.basename(filePath)] = await upload(context, filePath, progress, signal);
      }
      const request = { model, ...body, ...(filePaths.length > 0 ? { files } : {}), quantize: flags.quantize };
      for await (const line of context.client.stream<ProgressLine>('/api/create', request, signal)) {
        progress.show(line);
      }
    });
  } finally {
    progress.finish();
  }
}

async function readModelfile(context: CliContext, file: string | undefined): Promise<{ text: string; folder: string }> {
  if (file === '-') {
    const chunks: Buffer[] = [];
    for await (const chunk of context.terminal.stdin as AsyncIterable<Buffer | string>) {
      chunks.push(Buffer.from(chunk));
    }
    return { text: decodeModelfile(Buffer.concat(chunks)), folder: process.cwd() };
  }
  const filePath = path.resolve(file ?? 'Modelfile');
  try {
    return { text: decodeModelfile(await readFile(filePath)), folder: path.dirname(filePath) };
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) {
      throw error;
    }
    if (file !== undefined) {
      throw new Error("specified Modelfile wasn't found", { cause: error });
    }
    return { text: 'FROM .', folder: process.cwd() };
  }
}

async function createBody(
  context: CliContext,
  commands: readonly ModelfileCommand[],
  folder: string,
): Promise<{ body: CreateBody; filePaths: readonly string[] }> {
  const body: CreateBody = {};
  const filePaths: string[] = [];
  for (const command of commands) {
    switch (command.keyword) {
      case 'from': {
        const found = await weightFiles(command.value, folder);
        filePaths.push(...found);
        body.from = found.length > 0 ? body.from : command.value;
        break;
      }
      case 'parameter':
        if (deprecatedParameters.includes(command.name)) {
          context.terminal.stderr.write(`warning: parameter ${command.name} is deprecated\n`);
        } else {
          addParameter((body.parameters ??= {}), command.name, command.value);
        }
        break;
      case 'message':
        (body.messages ??= []).push({ role: command.role, content: command.value });
        break;
      case 'license':
        (body.license ??= []).push(command.value);
        break;
      case 'requires':
        if (!/^v?\d+(\.\d+){0,2}(-[\w.-]+)?(\+[\w.-]+)?$/.test(command.value)) {
          throw new Error('requires must be a valid semver (e.g. 0.14.0)');
        }
        body.requires = command.value;
        break;
      case 'template':
      case 'system':
      case 'renderer':
      case 'parser':
        body[command.keyword] = command.value;
        break;
      case 'adapter':
      case 'draft':
        throw new Error(`${command.keyword.toUpperCase()} is not supported`);
      default:
        throw new TypeError(`unhandled command ${String(command satisfies never)}`);
    }
  }
  return { body, filePaths };
}

/** Files that a FROM names: the file itself, the GGUF files of a folder, or none when it is the name of a model. */
async function weightFiles(value: string, folder: string): Promise<readonly string[]> {
  const expanded = value === '~' || value.startsWith('~/') ? path.join(homedir(), value.slice(1)) : value;
  const filePath = path.resolve(folder, expanded);
  const info = await stat(filePath).catch(() => undefined);
  if (info?.isDirectory() !== true) {
    return info === undefined ? [] : [filePath];
  }
  const names = (await readdir(filePath)).filter((name) => name.toLowerCase().endsWith('.gguf'));
  if (names.length === 0) {
    throw new Error('no Modelfile or GGUF files found');
  }
  return names.sort().map((name) => path.join(filePath, name));
}

/** Digest of the file, after making sure that the server has it. */
async function upload(context: CliContext, filePath: string, progress: ProgressDisplay, signal: AbortSignal): Promise<string> {
  const { size } = await stat(filePath);
  progress.show({ status: 'gathering model components' });
  const digest = await digestOfFile(filePath, signal);
  if (await context.client.hasBlob(digest)) {
    return digest;
  }
  let completed = 0;
  const onBytes = (numBytes: number): void => {
    completed += numBytes;
    progress.show({ status: `copying file ${digest}`, total: size, completed });
  };
  await context.client.uploadBlob(digest, { path: filePath, size, onBytes }, signal);
  return digest;
}
