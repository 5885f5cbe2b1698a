/** Ids that fit beside an ordered 32-bit logit in the 53 integer bits of a number. */
const maxIds = 2 ** 21;

/** A short list is ordered this far at first when only its head is needed. */
const firstHead = 128;

/**
 * The tokens still in play, with their logits. Memory is taken once; a step allocates nothing. The filters below shrink the
 * list and always leave at least one token. Order, where a filter needs one: best logit first, lowest id of equals.
 */
export class Candidates {
  readonly #ids: Int32Array;
  readonly #logits: Float32Array;
  readonly #weights: Float64Array;
  readonly #keys: Float64Array;
  /** How many places at the front hold the best tokens in order. */
  #ordered = 0;
  #length = 0;
  readonly #floatBits = new Float32Array(1);
  readonly #intBits = new Int32Array(this.#floatBits.buffer);

  constructor(capacity: number) {
    if (capacity > maxIds) {
      throw new RangeError(`at most ${maxIds} tokens can be sampled from, not ${capacity}`);
    }
    this.#ids = new Int32Array(capacity);
    this.#logits = new Float32Array(capacity);
    this.#weights = new Float64Array(capacity);
    this.#keys = new Float64Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  idAt(place: number): number {
    return this.#ids[place] as number;
  }

  logitAt(place: number): number {
    return this.#logits[place] as number;
  }

  /** Every token with a usable logit (NaN and -Infinity are not). */
  takeAll(row: Float32Array): void {
    let length = 0;
    for (let id = 0; id < row.length; id++) {
      const logit = row[id] as number;
      if (logit > -Infinity) {
        this.#ids[length] = id;
        this.#logits[length++] = logit;
      }
    }
    this.#length = length;
    this.#ordered = 0;
  }

  /** The k best tokens of a row, in order. One pass: a heap holds the best so far and its worst is the threshold. */
  takeTop(row: Float32Array, k: number): void {
    const limit = Math.min(k, row.length);
    let length = 0;
    let threshold = -Infinity;
    for (let id = 0; id < row.length; id++) {
      const logit = row[id] as number;
      if (!(logit > threshold)) {
        continue;
      }
      if (length < limit) {
        this.#siftUp(length++, id, logit);
      } else {
        this.#replaceWorst(length, id, logit);
      }
      if (length === limit) {
        threshold = this.#logits[0] as number;
      }
    }
    this.#length = length;
    this.#orderAll();
  }

  /** Puts the best `count` tokens in order at the front, or more. */
  order(count: number): void {
    if (this.#ordered < Math.min(count, this.#length)) {
      this.#orderAll();
    }
  }

  /** Keeps the first tokens, in order, whose probabilities together reach `p`. */
  keepTopP(p: number): void {
    const total = this.weigh(1);
    let head = firstHead;
    let sum = 0;
    for (let place = 0; place < this.#length; place++) {
      if (place === this.#ordered) {
        // The head is nearly always enough, and ordering a whole vocabulary takes fifty times as long.
        this.#orderHead(head);
        head *= 16;
      }
      sum += this.#weights[place] as number;
      if (sum >= p * total) {
        this.#length = place + 1;
        return;
      }
    }
  }

  /** Keeps the tokens at least `p` times as probable as the best. */
  keepMinP(p: number): void {
    this.#keepAbove(this.#best() + Math.log(p));
  }

  /** Keeps the tokens whose surprise is closest to the expected one, until their probabilities together exceed `p`. */
  keepTypical(p: number): void {
    const total = this.weigh(1);
    const length = this.#length;
    let entropy = 0;
    for (let i = 0; i < length; i++) {
      const probability = (this.#weights[i] as number) / total;
      entropy -= probability > 0 ? probability * Math.log(probability) : 0;
    }
    const distance = (place: number): number => Math.abs(-Math.log((this.#weights[place] as number) / total) - entropy);
    const places = Array.from({ length }, (_, place) => place).sort((a, b) => distance(a) - distance(b) || a - b);
    let sum = 0;
    let kept = 0;
    while (kept < length && sum <= p * total) {
      sum += this.#weights[places[kept++] as number] as number;
    }
    this.#select(places.slice(0, kept).sort((a, b) => a - b));
  }

  /** Softmax weights at a temperature, the best token's being 1; returns their sum. */
  weigh(temperature: number): number {
    const best = this.#best();
    const scale = 1 / temperature;
    let total = 0;
    for (let i = 0; i < this.#length; i++) {
      const logit = this.#logits[i] as number;
      // Equal infinities: their difference is no number, and such a token is certain.
      const weight = logit === best ? 1 : Math.exp((logit - best) * scale);
      this.#weights[i] = weight;
      total += weight;
    }
    return total;
  }

  /** Id at which the running sum of the last `weigh` passes `point`. */
  draw(point: number): number {
    let left = point;
    for (let i = 0; i < this.#length; i++) {
      left -= this.#weights[i] as number;
      if (left < 0) {
        return this.#ids[i] as number;
      }
    }
    return this.#ids[this.#length - 1] as number;
  }

  #best(): number {
    if (this.#ordered > 0) {
      return this.#logits[0] as number;
    }
    let best = -Infinity;
    for (let i = 0; i < this.#length; i++) {
      best = Math.max(best, this.#logits[i] as number);
    }
    return best;
  }

  #keepAbove(threshold: number): void {
    let kept = 0;
    for (let i = 0; i < this.#length; i++) {
      if ((this.#logits[i] as number) >= threshold) {
        this.#ids[kept] = this.#ids[i] as number;
        this.#logits[kept++] = this.#logits[i] as number;
      }
    }
    this.#length = kept;
    this.#ordered = Math.min(this.#ordered, kept);
  }

  #select(places: readonly number[]): void {
    places.forEach((from, to) => {
      this.#ids[to] = this.#ids[from] as number;
      this.#logits[to] = this.#logits[from] as number;
    });
    this.#length = places.length;
    this.#ordered = this.#ordered > 0 ? places.length : 0;
  }

  /** Brings the best `count` of the unordered rest to its front, in order; weights move along. */
  #orderHead(count: number): void {
    const start = this.#ordered;
    const rest = this.#length - start;
    for (let i = 0; i < rest; i++) {
      this.#keys[i] = this.#keyOf(this.#ids[start + i] as number, this.#logits[start + i] as number);
    }
    const threshold = count < rest ? this.#kthLargest(rest, count) : -Infinity;
    // Partition: keys at or above the threshold to the front. Keys are distinct, so exactly `count` of them are.
    let front = start;
    for (let i = start; i < this.#length && front - start < count; i++) {
      if ((this.#keys[i - start] as number) >= threshold) {
        this.#swap(i, front);
        this.#keys[i - start] = this.#keys[front - start] as number;
        front++;
      }
    }
    this.#sortRange(start, front);
    this.#ordered = front;
    this.#reweigh(start, front);
  }
}
