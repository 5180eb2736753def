// A terminal for tests: keeps its lines and obeys what the reporter may send, "up" and "erase below". Anything else is an error.

const escapeCode = "\u001b"
const colour = new RegExp(`${escapeCode}\\[\\d+m`, "g")
const movement = new RegExp(`(${escapeCode}\\[\\d+A|${escapeCode}\\[0J|\n)`)
const up = new RegExp(`^${escapeCode}\\[(\\d+)A$`)

/** `text` without its colours. */
export function withoutColours(text: string): string {
  return text.replace(colour, "")
}

/** Whether anything but line breaks would act on a terminal or on the direction of writing. */
export function actsOnTerminal(text: string): boolean {
  return /[\u202a-\u202e\u2066-\u2069]/.test(text) || [...text].some((character) => character !== "\n" && /\p{Cc}/u.test(character))
}

export class TerminalScreen {
  readonly rows = 24
  /** All that was ever sent. */
  sent = ""
  writes = 0
  private readonly lines: string[] = [""]
  private row = 0

  constructor(readonly columns = 100) {}

  write(text: string): boolean {
    this.sent += text
    this.writes++
    for (const piece of text.split(movement)) {
      const lines = up.exec(piece)?.[1]
      if (lines) this.moveUp(Number(lines))
      else if (piece === "\u001b[0J") this.eraseBelow()
      else if (piece === "\n") this.lines[++this.row] ??= ""
      else this.lines[this.row] += piece
    }
    return true
  }

  /** The lines as they are read, colours taken out. */
  get shown(): string[] {
    return this.lines.map((line) => withoutColours(line)).slice(0, this.lines.at(-1) === "" ? -1 : undefined)
  }

  private moveUp(count: number): void {
    if (this.lines[this.row] !== "" || count > this.row) throw new Error(`The cursor cannot go up ${count} lines from line ${this.row}.`)
    this.row -= count
  }

  private eraseBelow(): void {
    this.lines.length = this.row
    this.lines[this.row] = ""
  }
}
