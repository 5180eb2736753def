// Prompts as people write them, in many languages and notations, with what is to be read from each.

type Pair = [input: string, output: string]
export interface PromptCase {
  readonly prompt: string
  readonly instruction: string
  readonly pairs: readonly Pair[]
}

export const promptNotations: Readonly<Record<string, PromptCase>> = {
  "Japanese, in corner brackets": {
    prompt:
      "文を敬語に直してください。\n\n例：\n\n入力＝「ペンを貸して」\n出力＝「ペンをお貸しください」\n\n入力：「来る」\n出力：「いらっしゃる」\n\n短く答えること。",
    instruction: "文を敬語に直してください。\n\n短く答えること。",
    pairs: [
      ["ペンを貸して", "ペンをお貸しください"],
      ["来る", "いらっしゃる"],
    ],
  },
  "Chinese, labelled lines with full-width colons": {
    prompt:
      "判断评论的情感，只回答“正面”或“负面”。\n\n示例 1：\n输入：这家店的面条很好吃，下次还来。\n输出：正面\n\n示例 2：\n输入：等了一个小时。\n再也不来了！\n输出：负面",
    instruction: "判断评论的情感，只回答“正面”或“负面”。",
    pairs: [
      ["这家店的面条很好吃，下次还来。", "正面"],
      ["等了一个小时。\n再也不来了！", "负面"],
    ],
  },
  "Arabic, in guillemets": {
    prompt: "حدد عاصمة البلد.\n\nأمثلة:\n\nالمدخل: «فرنسا»\nالمخرج: «باريس»\n\nالمدخل: «مصر»\nالمخرج: «القاهرة»",
    instruction: "حدد عاصمة البلد.",
    pairs: [
      ["فرنسا", "باريس"],
      ["مصر", "القاهرة"],
    ],
  },
  "German, low quotes and one line": {
    prompt: "Setze in den Plural.\n\nEingabe: „das Haus“ Ausgabe: „die Häuser“\nEingabe: „der Baum“, Ausgabe: „die Bäume“",
    instruction: "Setze in den Plural.",
    pairs: [
      ["das Haus", "die Häuser"],
      ["der Baum", "die Bäume"],
    ],
  },
  "quotes inside that nobody escaped": {
    prompt: `Explain the code.\n\ninput="print("hello")"\noutput="prints "hello" and a line break"\n\ninput='don't do it'\noutput='do not do it'\n\ninput="print(f"{x}")"\noutput="prints x".`,
    instruction: "Explain the code.",
    pairs: [
      ['print("hello")', 'prints "hello" and a line break'],
      ["don't do it", "do not do it"],
      ['print(f"{x}")', "prints x"],
    ],
  },
  "code in fences, with its indentation": {
    prompt:
      "Write a docstring.\n\n## Example 1\n\n**Input:**\n```python\ndef area(r):\n    if r < 0:\n\n        raise ValueError\n    return 3 * r * r\n```\n\n**Output:**\n```\n  Area of a circle.\n\n  Raises ValueError.\n```\n\nKeep to one sentence where you can.",
    instruction: "Write a docstring.\n\nKeep to one sentence where you can.",
    pairs: [
      ["def area(r):\n    if r < 0:\n\n        raise ValueError\n    return 3 * r * r", "  Area of a circle.\n\n  Raises ValueError."],
    ],
  },
  "code in triple quotes": {
    prompt: `Fix it.\n\ninput="""\n  if x = 1:\n    print("a")\n"""\noutput="""\n  if x == 1:\n    print("a")\n"""`,
    instruction: "Fix it.",
    pairs: [['\n  if x = 1:\n    print("a")\n', '\n  if x == 1:\n    print("a")\n']],
  },
  "JSON lines": {
    prompt: `Extract the city.\n\nExamples:\n{"input": "I live in \\"Bern\\"\\tnow", "output": "Bern"}\n{"input": "C\\u00f3rdoba is hot", "output": "Córdoba"}`,
    instruction: "Extract the city.",
    pairs: [
      ['I live in "Bern"\tnow', "Bern"],
      ["Córdoba is hot", "Córdoba"],
    ],
  },
  "a JSON array": {
    prompt: `Extract the city.\n\n[\n  {\n    "input": "I live in Bern",\n    "output": "Bern"\n  },\n  {\n    "input": "Off to Rome",\n    "output": "Rome"\n  }\n]`,
    instruction: "Extract the city.",
    pairs: [
      ["I live in Bern", "Bern"],
      ["Off to Rome", "Rome"],
    ],
  },
  "a list with outputs of several lines": {
    prompt:
      "List the steps.\n\n1. Input: make tea\n   Output: boil water\npour\nwait\n\n2. Input: make toast\n   Output: slice\ntoast\n\nNo numbers, please.",
    instruction: "List the steps.\n\nNo numbers, please.",
    pairs: [
      ["make tea", "boil water\npour\nwait"],
      ["make toast", "slice\ntoast"],
    ],
  },
  "a pair in one line": {
    prompt: "Square it.\n\n- Input: 3, Output: 9\n- Input: 4 -> Output: 16",
    instruction: "Square it.",
    pairs: [
      ["3", "9"],
      ["4", "16"],
    ],
  },
  "other words with the same letters": {
    prompt: 'Rate the input: is it polite? The output is "yes" or "no". Say output="no" when unsure.\n\ninput="Thanks!" output="yes"',
    instruction: 'Rate the input: is it polite? The output is "yes" or "no". Say output="no" when unsure.',
    pairs: [["Thanks!", "yes"]],
  },
  "plain labels with fences behind them": {
    prompt: "Say what it does.\n\nInput:\n```python\nprint('input=\"x\"')\n\n  # ```\n```\nOutput:\n```\nIt prints.\n```",
    instruction: "Say what it does.",
    pairs: [["print('input=\"x\"')\n\n  # ```", "It prints."]],
  },
  "several notations, the quoted ones first": {
    prompt: 'Classify.\n\ninput="good" output="yes"\n\nInput: bad\nOutput: no\n\n{"input": "so so", "output": "maybe"}\n\nOne word.',
    instruction: "Classify.\n\nOne word.",
    pairs: [
      ["good", "yes"],
      ["bad", "no"],
      ["so so", "maybe"],
    ],
  },
  "a description in labelled lines, which is no example": {
    prompt: 'Translate.\nInput: a sentence\nOutput: its translation\n\ninput="Hund" output="dog"',
    instruction: "Translate.\nInput: a sentence\nOutput: its translation",
    pairs: [["Hund", "dog"]],
  },
  "outputs before their inputs": {
    prompt: 'Do it.\noutput="b" input="a"\noutput="d" input="c"',
    instruction: "Do it.",
    pairs: [
      ["a", "b"],
      ["c", "d"],
    ],
  },
  "inches, and tables of values": {
    prompt: `Convert.\ninput="5" tall" output="12.7 cm"\n\ninput="id,name\n1,"Widget, large"\n2,Nut" output="[{"id":1,"name":"Widget, large"},{"id":2}]"`,
    instruction: "Convert.",
    pairs: [
      ['5" tall', "12.7 cm"],
      ['id,name\n1,"Widget, large"\n2,Nut', '[{"id":1,"name":"Widget, large"},{"id":2}]'],
    ],
  },
  tags: {
    prompt:
      "Do it.\n<example><input>a < b</input><output>c</output></example>\n<example>\n<input>\nd\n</input>\n<output>e</output>\n</example>",
    instruction: "Do it.",
    pairs: [
      ["a < b", "c"],
      ["d", "e"],
    ],
  },
  headings: {
    prompt: "# Task\nDo it.\n\n## Example 1\n### Input\nfoo\n### Output\nbar\n\n## Example 2\n### Input\nbaz\n\nqux\n### Output\nquux",
    instruction: "# Task\nDo it.",
    pairs: [
      ["foo", "bar"],
      ["baz\n\nqux", "quux"],
    ],
  },
  "a table in Markdown": {
    prompt: "Rate it.\n\n| Nr | Input | Output |\n|---|:---|---|\n| 1 | good \\| great | yes |\n| 2 | dull | no |\n\nOne word.",
    instruction: "Rate it.\n\nOne word.",
    pairs: [
      ["good | great", "yes"],
      ["dull", "no"],
    ],
  },
  "lines of CSV": {
    prompt: 'Rate the input, then the output.\n\ninput,output\ngreat film,yes\n"long, ""very"" long",no\n\nOne word, please.',
    instruction: "Rate the input, then the output.\n\nOne word, please.",
    pairs: [
      ["great film", "yes"],
      ['long, "very" long', "no"],
    ],
  },
  "arrows, with nobody to ask": {
    prompt: "Say the opposite.\n\n- hot -> cold\n- 'big' → 'small'\n- up => down",
    instruction: "Say the opposite.",
    pairs: [
      ["hot", "cold"],
      ["big", "small"],
      ["up", "down"],
    ],
  },
  "questions and answers, with nobody to ask": {
    prompt: "Answer in one word.\n\nQ: What barks?\nA: Dogs\n\nQ: What purrs?\nA: Cats",
    instruction: "Answer in one word.",
    pairs: [
      ["What barks?", "Dogs"],
      ["What purrs?", "Cats"],
    ],
  },
}
