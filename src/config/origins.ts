// Browser origins that may call the server (CORS). Patterns hold at most one `*`.
import { TarsError } from '../errors/index.js';

const localHosts = ['localhost', '127.0.0.1', '0.0.0.0'];
const appOrigins = ['app://*', 'file://*', 'tauri://*', 'vscode-webview://*', 'vscode-file://*'];

/** Schemes that an entry without `*` may have; anything else is a typing mistake that would silently allow nothing. */
const knownSchemes = [
  'http://',
  'https://',
  'app://',
  'file://',
  'tauri://',
  'vscode-webview://',
  'vscode-file://',
  'chrome-extension://',
  'safari-extension://',
  'moz-extension://',
  'ms-browser-extension://',
];

/** OLLAMA_ORIGINS (comma list) followed by the origins that are always allowed. Throws CONFIG_INVALID for a bad entry. */
export function parseOrigins(text: string): readonly string[] {
  const own = text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
  for (const entry of own) {
    if (entry.split('*').length > 2) {
      throw invalidOrigin(entry, 'only one * is allowed');
    }
    if (!entry.includes('*') && !knownSchemes.some((scheme) => entry.startsWith(scheme))) {
      throw invalidOrigin(entry, 'an origin needs a scheme such as http:// or a *');
    }
  }
  const local = localHosts.flatMap((host) => [`http://${host}`, `https://${host}`, `http://${host}:*`, `https://${host}:*`]);
  return [...own, ...local, ...appOrigins];
}

function invalidOrigin(entry: string, reason: string): TarsError {
  return new TarsError('CONFIG_INVALID', { name: 'OLLAMA_ORIGINS', reason: `${JSON.stringify(entry)}: ${reason}` });
}
