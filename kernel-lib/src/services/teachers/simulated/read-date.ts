// The simulated teacher's reader: which day an English date means. It reads more ways than the teacher writes, as a person would, and
// refuses whatever has words beside the date, so that a sentence is not taken for one.
import { type CalendarDate, isRealDate, monthNames, ordinalWords, weekdayNames } from "./calendar"
import { leadIns } from "./date-ways"

const longestDate = 80
const leadIn = new RegExp(`^(?:${leadIns.join("|")}|date:|until|by|before|after|due)\\s+`)

/** The date that `text` is, or undefined when it is none, or more than one. */
export function readDate(text: string): CalendarDate | undefined {
  if (text.length > longestDate) return undefined
  const plain = text.normalize("NFKC").trim().toLowerCase().replace(leadIn, "").replace(/\.$/, "")
  const date = readNumbers(plain) ?? readWords(plain)
  return date && isRealDate(date) ? date : undefined
}

/** Numbers alone: `1999-05-03`, `1999/5/3`, `03.05.1999` day first, `5/3/1999` month first unless that is no month. */
function readNumbers(text: string): CalendarDate | undefined {
  const yearFirst = /^(\d{4})([-/.])(\d{1,2})\2(\d{1,2})$/.exec(text)
  if (yearFirst) return { year: Number(yearFirst[1]), month: Number(yearFirst[3]), day: Number(yearFirst[4]) }
  const yearLast = /^(\d{1,2})([-/.])(\d{1,2})\2(\d{4})$/.exec(text)
  if (!yearLast) return undefined
  const [first, second, year] = [Number(yearLast[1]), Number(yearLast[3]), Number(yearLast[4])]
  const isMonthFirst = yearLast[2] === "/" && first <= 12
  return isMonthFirst ? { year, month: first, day: second } : { year, month: second, day: first }
}

/** A month by name with one day and one year in any order, and nothing else that means something. */
function readWords(text: string): CalendarDate | undefined {
  const found: { year?: number; month?: number; day?: number } = {}
  for (const word of text.split(/[\s,()]+|(?<=[a-z\d])-(?=\d)|(?<=\d)-(?=[a-z])/)) {
    if (word === "" || word === "the" || word === "of" || word === "in" || isWeekday(word)) continue
    const part = readMonth(word) ?? readYear(word) ?? readDay(word)
    if (!part || found[part.is] !== undefined) return undefined
    found[part.is] = part.value
  }
  const { year, month, day } = found
  return year !== undefined && month !== undefined && day !== undefined ? { year, month, day } : undefined
}

type Part = { is: "year" | "month" | "day"; value: number }

function readMonth(word: string): Part | undefined {
  const letters = word.replace(/\.$/, "")
  if (letters.length < 3 || !/^[a-z]+$/.test(letters)) return undefined
  const index =
    letters === "sept" ? 8 : monthNames.findIndex((name) => [name.toLowerCase(), name.slice(0, 3).toLowerCase()].includes(letters))
  return index < 0 ? undefined : { is: "month", value: index + 1 }
}

function readYear(word: string): Part | undefined {
  if (/^\d{4}$/.test(word)) return { is: "year", value: Number(word) }
  const short = /^['’](\d\d)$/.exec(word)
  return short ? { is: "year", value: Number(short[1]) + (Number(short[1]) < 50 ? 2000 : 1900) } : undefined
}

function readDay(word: string): Part | undefined {
  const digits = /^(\d{1,2})(?:st|nd|rd|th)?$/.exec(word)
  if (digits) return { is: "day", value: Number(digits[1]) }
  const index = ordinalWords.indexOf(word)
  return index < 0 ? undefined : { is: "day", value: index + 1 }
}

function isWeekday(word: string): boolean {
  const letters = word.replace(/\.$/, "")
  return weekdayNames.some(
    (name) => name.toLowerCase() === letters || (letters.length >= 3 && letters.length <= 5 && name.toLowerCase().startsWith(letters)),
  )
}
