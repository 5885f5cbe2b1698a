// Requests that are being answered: a closed connection aborts its own, a closing server aborts all.
import type { FastifyReply } from 'fastify';
import { TarsError } from '../errors/index.js';

export class ActiveRequests {
  readonly #controllers = new Set<AbortController>();

  /** Signal that is aborted when the client goes away before the reply is complete. */
  track(reply: FastifyReply): AbortSignal {
    const controller = new AbortController();
    this.#controllers.add(controller);
    if (reply.raw.closed) {
      this.#controllers.delete(controller);
      controller.abort(new TarsError('REQUEST_CANCELED'));
      return controller.signal;
    }
    reply.raw.once('close', () => {
      this.#controllers.delete(controller);
      if (!reply.raw.writableFinished) {
        controller.abort(new TarsError('REQUEST_CANCELED'));
      }
    });
    return controller.signal;
  }

  get size(): number {
    return this.#controllers.size;
  }

  abortAll(reason: Error): void {
    for (const controller of this.#controllers) {
      controller.abort(reason);
    }
  }
}
