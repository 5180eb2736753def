// What our own pages have in common: both themes by the reader's preference, one width, one typeface.
import { escapeMarkup } from "./svg/picture"

/** Colours of a page outside a notebook; results take them where no notebook's colours are there. */
export const pageStyle = `:root{color-scheme:light dark;--p2m-ink:#1f2328;--p2m-mute:#656d76;--p2m-line:#d8dee4;--p2m-paper:#fff;--p2m-link:#0072b2}
@media (prefers-color-scheme:dark){:root{--p2m-ink:#e6e6e6;--p2m-mute:#9aa0a6;--p2m-line:#33383d;--p2m-paper:#111;--p2m-link:#4aa3df}}
body{margin:0 auto;padding:28px 24px 48px;max-width:980px;background:var(--p2m-paper);color:var(--p2m-ink);font:14px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif;font-variant-numeric:tabular-nums}
h1{margin:0 0 4px;font-size:19px;font-weight:600}.lead{margin:0 0 26px;color:var(--p2m-mute)}`

/** A whole page; `head` and `body` are markup already. */
export function wholePage(title: string, head: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeMarkup(title)}</title>
${head}
</head>
<body>
${body}
</body>
</html>
`
}
