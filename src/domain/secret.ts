/** Where a secret is kept. Settings hold references only; the value is read when something is opened. */
export type SecretRef = { file: string } | { env: string } | { credential: string };

const mask = '[secret]';

/** A secret value that prints as `[secret]` wherever it ends up by accident. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself: call it only in the argument of the library call that needs it. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return mask;
  }

  toJSON(): string {
    return mask;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return mask;
  }
}
