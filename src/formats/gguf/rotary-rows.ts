// Undoes the row order that GGUF files of the Llama family use for the query and key projections.

export interface RotaryLayout {
  readonly headSize: number;
  /** Leading elements of each head that are rotated. */
  readonly rotarySize: number;
}

/**
 * Stored row of a canonical row. Within the rotated part of a head, canonical order is half-split (element i pairs with
 * i + rotarySize / 2) and stored order is interleaved (2i pairs with 2i + 1).
 */
export function storedRow({ headSize, rotarySize }: RotaryLayout, row: number): number {
  const inHead = row % headSize;
  if (inHead >= rotarySize) {
    return row;
  }
  const half = rotarySize / 2;
  return row - inHead + (inHead < half ? 2 * inHead : 2 * (inHead - half) + 1);
}

/**
 * Reads `numRows` canonical rows by whole-row moves. `read(first, count)` gives stored rows of `rowBytes` bytes; it is asked
 * for at most one head at a time, so that the extra memory is one head of rows.
 */
export function readRotaryRows(
  layout: RotaryLayout,
  rowBytes: number,
  firstRow: number,
  numRows: number,
  read: (firstStored: number, numStored: number) => Uint8Array,
): Uint8Array {
  const result = new Uint8Array(numRows * rowBytes);
  const lastRow = firstRow + numRows;
  let row = firstRow;
  while (row < lastRow) {
    const headEnd = Math.min(lastRow, (Math.floor(row / layout.headSize) + 1) * layout.headSize);
    const wanted = Array.from({ length: headEnd - row }, (_, i) => storedRow(layout, row + i));
    const firstStored = Math.min(...wanted);
    const stored = read(firstStored, Math.max(...wanted) - firstStored + 1);
    wanted.forEach((storedIndex, i) => {
      const from = (storedIndex - firstStored) * rowBytes;
      result.set(stored.subarray(from, from + rowBytes), (row - firstRow + i) * rowBytes);
    });
    row = headEnd;
  }
  return result;
}
