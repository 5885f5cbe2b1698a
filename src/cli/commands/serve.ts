import { formatHostPort } from '../../config/index.js';
import type { CliContext, RunningServer } from '../context.js';

/** Runs the server until SIGINT or SIGTERM; a second signal does not wait for streams to end. */
export async function serve(context: CliContext): Promise<void> {
  const server = await start(context);
  let numSignals = 0;
  await new Promise<void>((resolve) => {
    const stop = (): void => {
      numSignals++;
      if (numSignals === 1) {
        resolve();
      } else {
        context.exit(1);
      }
    };
    context.signals.on('SIGINT', stop);
    context.signals.on('SIGTERM', stop);
  });
  await server.close();
}

async function start({ config, startServer }: CliContext): Promise<RunningServer> {
  try {
    return await startServer(config);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const address = formatHostPort(config.host.hostname, config.host.port);
    switch (code) {
      case 'EADDRINUSE':
        throw new Error(`listen tcp ${address}: bind: address already in use`, { cause: error });
      case 'EACCES':
        throw new Error(`listen tcp ${address}: bind: permission denied`, { cause: error });
      case 'EADDRNOTAVAIL':
        throw new Error(`listen tcp ${address}: bind: cannot assign requested address`, { cause: error });
      default:
        throw error;
    }
  }
}
