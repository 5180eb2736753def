// CSV as RFC 4180 says, and as people write it: nothing in it is an error, a quote that is never closed goes on to the end.

/** The records of whole lines; empty lines are none. */
export function parseCsv(text: string, separator: string): string[][] {
  const records: string[][] = []
  let index = 0
  while (index < text.length) {
    const record: string[] = []
    for (;;) {
      const [cell, end] = text[index] === '"' ? readQuoted(text, index + 1, separator) : readPlain(text, index, separator)
      record.push(cell)
      index = end
      if (text[index] !== separator) break
      index++
    }
    index++
    if (record.length > 1 || record[0] !== "") records.push(record)
  }
  return records
}

function readPlain(text: string, start: number, separator: string): [cell: string, end: number] {
  let end = start
  while (end < text.length && text[end] !== separator && text[end] !== "\n") end++
  return [text[end - 1] === "\r" && text[end] !== separator ? text.slice(start, end - 1) : text.slice(start, end), end]
}

/** From behind the opening quote; two quotes are one. What stands between the closing quote and the separator is kept. */
function readQuoted(text: string, start: number, separator: string): [cell: string, end: number] {
  let cell = ""
  let from = start
  for (;;) {
    const close = text.indexOf('"', from)
    if (close < 0) return [cell + text.slice(from), text.length]
    cell += text.slice(from, close)
    if (text[close + 1] !== '"') {
      const [rest, end] = readPlain(text, close + 1, separator)
      return [cell + rest, end]
    }
    cell += '"'
    from = close + 2
  }
}
