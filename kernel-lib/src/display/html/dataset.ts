// A dataset: what got in and what did not, how long the inputs are, where rows came from, and a preview.
import { type DatasetPayload, previewCharacters } from "../payloads"
import { countNamedReasons, drawAcceptanceBar } from "../svg/acceptance-bar"
import { drawLengthHistogram } from "../svg/length-histogram"
import { escapeMarkup, toImage } from "../svg/picture"
import { countOf, datasetSubtitle, describeRejected, formatCount, splitsToName } from "../wording"
import { code, dataText, facts, foot, frame, nextStep, table, textColumn } from "./frame"

export function renderDatasetHtml(payload: DatasetPayload): string {
  return frame(payload.title, datasetSubtitle(payload), [
    renderPictures(payload),
    facts([...splitsToName(payload), ...payload.sources].map(({ name, rows }) => `<b>${formatCount(rows)}</b> ${escapeMarkup(name)}`)),
    renderPreview(payload),
    foot([describePreview(payload), describeRejection(payload), nextStep(payload.nextStep)]),
  ])
}

function renderPictures({ numRows, rejected, lengths }: DatasetPayload): string {
  const bar = rejected.length > 0 ? `<div>${toImage(drawAcceptanceBar(numRows, rejected))}</div>` : ""
  const histogram = lengths?.bins.some((rows) => rows > 0) ? `<div>${toImage(drawLengthHistogram(lengths))}</div>` : ""
  return bar + histogram === "" ? "" : `<div class="row">${bar}${histogram}</div>`
}

function renderPreview({ preview }: DatasetPayload): string {
  if (preview.length === 0) return ""
  const hasVotes = preview.some(({ votes }) => votes !== undefined)
  const columns = [
    { name: "row", isNumber: true, isText: true, isWhole: true },
    textColumn(
      "input",
      preview.map(({ input }) => input),
    ),
    textColumn(
      "output",
      preview.map(({ output }) => output),
    ),
    textColumn(
      "from",
      preview.map(({ from }) => from),
    ),
    ...(hasVotes
      ? [
          {
            ...textColumn(
              "votes",
              preview.map(({ votes }) => votes ?? ""),
            ),
            isNumber: true,
          },
        ]
      : []),
  ]
  return table(
    columns,
    preview.map(({ row, input, output, from, votes }) => [
      formatCount(row),
      dataText(input, previewCharacters),
      dataText(output, previewCharacters),
      escapeMarkup(from),
      escapeMarkup(votes ?? ""),
    ]),
  )
}

function describePreview({ preview, numRows, file }: DatasetPayload): string {
  if (numRows === 0) return "No rows."
  const shown = preview.length < numRows ? `${formatCount(preview.length)} of ${countOf(numRows, "row")}` : countOf(numRows, "row")
  return file === undefined ? `${shown}.` : `${shown}; all of them are in ${code(file)}.`
}

/** Under the bar that names all reasons, only for those who do not see it. */
function describeRejection({ rejected }: DatasetPayload): string {
  if (rejected.length === 0) return ""
  const total = rejected.reduce((sum, { rows }) => sum + rows, 0)
  const sentence = `${formatCount(total)} rejected: ${escapeMarkup(describeRejected(rejected))}.`
  return countNamedReasons(rejected) === rejected.length ? `<span class="bare">${sentence}</span>` : sentence
}
