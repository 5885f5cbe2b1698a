import { Interpreter, type Environment, type RuntimeValue, type Statement, type StringValue } from '@huggingface/jinja';
import { pythonText } from './python-text.js';

/** Statements that write nothing; their null value must not be printed. */
const silentStatements = new Set(['Set', 'Macro', 'Comment']);

/**
 * The library's interpreter with two differences to Jinja mended: text written before `break` or `continue` in the same
 * pass of a loop stays, and values are printed as Python prints them.
 */
export class JinjaInterpreter extends Interpreter {
  /** Text of blocks that a jump has left and that belongs in front of what the loop writes next. */
  #left = '';

  protected override evaluateBlock(statements: Statement[], environment: Environment): StringValue {
    const block = super.evaluateBlock([], environment);
    block.value = this.#takeLeft();
    try {
      for (const statement of statements) {
        block.value += print(this.evaluate(statement, environment), statement);
      }
    } catch (error) {
      this.#left = block.value + this.#left;
      throw error;
    }
    return block;
  }

  protected override evaluateFor(statement: Statement, environment: Environment): StringValue {
    const outer = this.#takeLeft();
    const loop = super.evaluateFor(statement, environment);
    loop.value = outer + loop.value + this.#takeLeft();
    return loop;
  }

  #takeLeft(): string {
    const left = this.#left;
    this.#left = '';
    return left;
  }
}

function print(value: RuntimeValue, statement: Statement): string {
  return value.type === 'NullValue' && silentStatements.has(statement.type) ? '' : pythonText(value);
}
