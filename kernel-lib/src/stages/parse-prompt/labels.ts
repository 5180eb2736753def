// The words by which prompts mark the two sides of an example, in the languages that people write prompts in.

const inputWords = [
  ...[
    "input",
    "inputs",
    "eingabe",
    "entrada",
    "entrée",
    "entree",
    "ingresso",
    "invoer",
    "girdi",
    "wejście",
    "вход",
    "входные данные",
    "ввод",
  ],
  ...["入力", "输入", "輸入", "입력", "المدخلات", "المدخل", "مدخل", "إدخال", "الإدخال", "קלט", "इनपुट"],
]
const outputWords = [
  ...[
    "output",
    "outputs",
    "ausgabe",
    "salida",
    "saída",
    "sortie",
    "uscita",
    "uitvoer",
    "çıktı",
    "wyjście",
    "выход",
    "выходные данные",
    "вывод",
  ],
  ...["出力", "输出", "輸出", "출력", "المخرجات", "المخرج", "مخرج", "إخراج", "الإخراج", "פלט", "आउटपुट"],
]

/** Longest first, or a shorter word would be taken for the whole. */
const anyOf = (words: readonly string[]) => `(?:${[...words].sort((a, b) => b.length - a.length).join("|")})`

export const inputLabel = anyOf(inputWords)
export const outputLabel = anyOf(outputWords)
