/**
 * Runs a task that reports progress by a callback and yields what it reports. An error of the task comes out after what was
 * reported before it.
 */
export async function* progressOf<T>(task: (onProgress: (item: T) => void) => Promise<void>): AsyncGenerator<T> {
  const items: T[] = [];
  let isDone = false;
  let failure: { readonly error: unknown } | undefined;
  let wake = (): void => undefined;
  void task((item) => {
    items.push(item);
    wake();
  })
    .catch((error: unknown) => {
      failure = { error };
    })
    .finally(() => {
      isDone = true;
      wake();
    });
  for (;;) {
    const item = items.shift();
    if (item !== undefined) {
      yield item;
    } else if (isDone) {
      break;
    } else {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }
  if (failure !== undefined) {
    throw failure.error;
  }
}
