// A machine for Python's pickles that knows data and nothing else: numbers, texts, lists, tuples and dictionaries. A pickle is a
// program that may call any function of Python; here it can name only the functions that the caller allows, and what they make is
// the caller's. Opcodes as in Python's pickletools, those that torch.save uses and their successors of protocol 4.

/** A Python dictionary. Its keys are texts where it holds tensors. */
export type PickledDictionary = Map<unknown, unknown>

/** A tuple, to be told from a list. */
export class PickledTuple {
  constructor(readonly items: readonly unknown[]) {}
}

/** A function or class that the pickle names. */
export class PickledGlobal {
  constructor(readonly name: string) {}
}

export interface PickleRules {
  /** Answers whether the pickle may name `module.name`. */
  isAllowed(name: string): boolean
  /** What calling `name` with these arguments gives. Throws when it is no call that is known. */
  call(name: string, values: readonly unknown[]): unknown
  /** What stands outside the pickle under this identifier. */
  load(identifier: unknown): unknown
}

/** The pickle names what it may not. */
export class ForbiddenGlobalError extends Error {
  constructor(readonly global: string) {
    super(`it asks for ${global}`)
  }
}

/**
 * The value that a pickle holds.
 * @throws ForbiddenGlobalError, and Error with a clause of a sentence when the pickle is damaged
 */
export function readPickle(bytes: Buffer, rules: PickleRules): unknown {
  return new PickleMachine(bytes, rules).run()
}

const mark = Symbol("mark")

class PickleMachine {
  private at = 0
  private readonly stack: unknown[] = []
  private readonly memo = new Map<number, unknown>()

  constructor(
    private readonly bytes: Buffer,
    private readonly rules: PickleRules,
  ) {}

  run(): unknown {
    for (;;) {
      const code = this.bytes[this.take(1)]
      if (code === 0x2e) break
      const instruction = instructions[code]
      if (!instruction) throw new Error(`it has the instruction ${code}, which no state dictionary needs`)
      instruction(this)
    }
    const value = this.pop()
    if (this.stack.length > 0) throw new Error("it ends before it is complete")
    return value
  }

  /** The position of the next `count` bytes, which are taken. */
  take(count: number): number {
    const start = this.at
    if (!(count >= 0 && start + count <= this.bytes.length)) throw new Error("it ends too early")
    this.at = start + count
    return start
  }

  readByte(): number {
    return this.bytes[this.take(1)]
  }

  readUnsigned(): number {
    return this.bytes.readUInt32LE(this.take(4))
  }

  readLong(): number {
    return Number(this.bytes.readBigUInt64LE(this.take(8)))
  }

  readText(length: number): string {
    const start = this.take(length)
    return this.bytes.toString("utf8", start, start + length)
  }

  readLine(): string {
    const end = this.bytes.indexOf(10, this.at)
    if (end < 0) throw new Error("it ends too early")
    const text = this.readText(end - this.at)
    this.take(1)
    return text
  }

  /** A whole number of `length` bytes, two's complement. */
  readInteger(length: number): number {
    const start = this.take(length)
    let value = 0n
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.bytes[start + i])
    return Number(BigInt.asIntN(length * 8, value))
  }

  readReal(): number {
    return this.bytes.readDoubleBE(this.take(8))
  }

  readSigned(): number {
    return this.bytes.readInt32LE(this.take(4))
  }

  push(value: unknown): void {
    this.stack.push(value)
  }

  pop(): unknown {
    if (this.stack.length === 0) throw new Error("it takes a value where there is none")
    return this.stack.pop()
  }

  peek(): unknown {
    const value = this.pop()
    this.push(value)
    return value
  }

  /** What was pushed after the last mark. */
  popItems(): unknown[] {
    const start = this.stack.lastIndexOf(mark)
    if (start < 0) throw new Error("it takes values where there are none")
    return this.stack.splice(start).slice(1)
  }

  popTuple(count: number): void {
    const items = Array.from({ length: count }, () => this.pop()).reverse()
    this.push(new PickledTuple(items))
  }

  keep(slot: number): void {
    this.memo.set(slot, this.peek())
  }

  keepNext(): void {
    this.keep(this.memo.size)
  }

  recall(slot: number): void {
    if (!this.memo.has(slot)) throw new Error("it recalls a value that it never kept")
    this.push(this.memo.get(slot))
  }

  setItems(items: readonly unknown[]): void {
    const target = this.peek()
    if (!(target instanceof Map) || items.length % 2 !== 0) throw new Error("it fills what is no dictionary")
    for (let i = 0; i < items.length; i += 2) target.set(items[i], items[i + 1])
  }

  appendItems(items: readonly unknown[]): void {
    const target = this.peek()
    if (!Array.isArray(target)) throw new Error("it appends to what is no list")
    for (const item of items) target.push(item)
  }

  pushGlobal(name: string): void {
    if (!this.rules.isAllowed(name)) throw new ForbiddenGlobalError(name)
    this.push(new PickledGlobal(name))
  }

  reduce(): void {
    const values = this.pop()
    const called = this.pop()
    if (!(called instanceof PickledGlobal && values instanceof PickledTuple)) throw new Error("it calls what is no function")
    this.push(this.rules.call(called.name, values.items))
  }

  loadOutside(): void {
    this.push(this.rules.load(this.pop()))
  }
}

const instructions: Readonly<Record<number, (machine: PickleMachine) => void>> = {
  // PROTO, FRAME: nothing depends on them here.
  128: (machine) => void machine.take(1),
  149: (machine) => void machine.take(8),
  // MARK, POP, DUP
  40: (machine) => machine.push(mark),
  48: (machine) => void machine.pop(),
  50: (machine) => machine.push(machine.peek()),
  // NONE, NEWTRUE, NEWFALSE
  78: (machine) => machine.push(null),
  136: (machine) => machine.push(true),
  137: (machine) => machine.push(false),
  // BININT, BININT1, BININT2, LONG1, BINFLOAT
  74: (machine) => machine.push(machine.readSigned()),
  75: (machine) => machine.push(machine.readByte()),
  77: (machine) => machine.push(machine.readInteger(2) & 0xffff),
  138: (machine) => machine.push(machine.readInteger(machine.readByte())),
  71: (machine) => machine.push(machine.readReal()),
  // BINUNICODE, SHORT_BINUNICODE, BINUNICODE8, and the texts of Python 2: BINSTRING, SHORT_BINSTRING
  88: (machine) => machine.push(machine.readText(machine.readUnsigned())),
  140: (machine) => machine.push(machine.readText(machine.readByte())),
  141: (machine) => machine.push(machine.readText(machine.readLong())),
  84: (machine) => machine.push(machine.readText(machine.readUnsigned())),
  85: (machine) => machine.push(machine.readText(machine.readByte())),
  // EMPTY_TUPLE, TUPLE, TUPLE1, TUPLE2, TUPLE3
  41: (machine) => machine.popTuple(0),
  116: (machine) => machine.push(new PickledTuple(machine.popItems())),
  133: (machine) => machine.popTuple(1),
  134: (machine) => machine.popTuple(2),
  135: (machine) => machine.popTuple(3),
  // EMPTY_LIST, APPEND, APPENDS
  93: (machine) => machine.push([]),
  97: (machine) => {
    const item = machine.pop()
    machine.appendItems([item])
  },
  101: (machine) => machine.appendItems(machine.popItems()),
  // EMPTY_DICT, SETITEM, SETITEMS
  125: (machine) => machine.push(new Map()),
  115: (machine) => {
    const value = machine.pop()
    const key = machine.pop()
    machine.setItems([key, value])
  },
  117: (machine) => machine.setItems(machine.popItems()),
  // GLOBAL, STACK_GLOBAL, REDUCE, BINPERSID
  99: (machine) => machine.pushGlobal(`${machine.readLine()}.${machine.readLine()}`),
  147: (machine) => {
    const name = machine.pop()
    machine.pushGlobal(`${machine.pop()}.${name}`)
  },
  82: (machine) => machine.reduce(),
  81: (machine) => machine.loadOutside(),
  // BUILD gives an object its attributes, which no tensor needs.
  98: (machine) => void machine.pop(),
  // BINPUT, LONG_BINPUT, MEMOIZE, BINGET, LONG_BINGET
  113: (machine) => machine.keep(machine.readByte()),
  114: (machine) => machine.keep(machine.readUnsigned()),
  148: (machine) => machine.keepNext(),
  104: (machine) => machine.recall(machine.readByte()),
  106: (machine) => machine.recall(machine.readUnsigned()),
}
