"""Replies of our own that a detector must survive. Photo: 1000 x 1000 px, so grid numbers are pixels, unless said."""

# ruff: noqa: E501 - a table: one reply a line
from __future__ import annotations

from typing import NamedTuple


class Reply(NamedTuple):
    id: str
    text: str
    expected: list[tuple[str, tuple[int, int, int, int]]]
    names: tuple[str, ...] = ("cup",)
    size: tuple[int, int] = (1000, 1000)


A, B = (10, 20, 110, 220), (300, 20, 410, 220)
CUP, TWO = [("cup", A)], [("cup", A), ("cup", B)]
ONE = '{"bbox_2d": [10, 20, 110, 220], "label": "cup"}'
OTHER = '{"bbox_2d": [300, 20, 410, 220], "label": "cup"}'

REPLIES = [
    Reply("reasoning first", f"<think>maybe [1, 2, 300, 400]?</think>\n[{ONE}]", CUP),
    Reply("reasoning without its opening tag", f"I look at [1, 2, 300, 400]. </think>[{ONE}]", CUP),
    Reply("reasoning that never ends", f"<think>let me see [{ONE}]", []),
    Reply("answer tags", f"<answer>[{ONE}]</answer>", CUP),
    Reply("answer tags inside the list", f"[<answer>{ONE}</answer>, <answer>{OTHER}</answer>]", TWO),
    Reply("end token left over", f"[{ONE}]<|im_end|><|endoftext|>", CUP),
    Reply("end token in the label", '[{"bbox_2d": [10, 20, 110, 220], "label": "cup<|im_end|>"}]', CUP),
    Reply("line comments", f"[ // the first\n{ONE}, // the second [1,2,3,4]\n{OTHER}]", TWO),
    Reply("a web address before the list", f"see https://example.org/x [{ONE}]", CUP),
    Reply("HTML quotes", f"[{ONE}]".replace('"', "&quot;"), CUP),
    Reply("curly quotes", "[{“bbox_2d”: [10, 20, 110, 220], “label”: “cup”}]", CUP),
    Reply("full-width punctuation", "［｛＂bbox_2d＂：［10，20，110，220］，＂label＂：＂cup＂｝］", CUP),
    Reply("full-width digits", '[{"bbox_2d": [１０, ２０, １１０, ２２０], "label": "cup"}]', CUP),
    Reply("escaped quotes", "[{\\\"bbox_2d\\\": [10, 20, 110, 220], \\\"label\\\": \\\"cup\\\"}]", CUP),
    Reply("quoted once more", '"[{\\"bbox_2d\\": [10, 20, 110, 220], \\"label\\": \\"cup\\"}]"', CUP),
    Reply("keys without quotes", "[{bbox_2d: [10, 20, 110, 220], label: cup}]", CUP),
    Reply("a name of two words without quotes", "{bbox_2d: [10, 20, 110, 220], label: red cup}", [("red cup", A)]),
    Reply("equals signs", '{bbox_2d=[10, 20, 110, 220], label="cup"}', CUP),
    Reply("an apostrophe in single quotes", "[{'bbox_2d': [10, 20, 110, 220], 'label': 'child's cup'}]", [("child's cup", A)]),
    Reply("an inch mark in the label", '[{"bbox_2d": [10, 20, 110, 220], "label": "13" screen"}]', [('13" screen', A)]),
    Reply("quotes around a word of the label", '[{"label": "the "big" cup", "bbox_2d": [10, 20, 110, 220]}]', [('the "big" cup', A)]),
    Reply("an escaped quote in the label", '[{"bbox_2d": [10, 20, 110, 220], "label": "a \\"b\\" c"}]', [('a "b" c', A)]),
    Reply("the key's closing quote lost", '{"bbox_2d: [10, 20, 110, 220], "label": "cup"}', CUP),
    Reply("the key's opening quote lost", '{bbox_2d": [10, 20, 110, 220], label": "cup"}', CUP),
    Reply("the label's closing quote lost", '[{"label": "cup, "bbox_2d": [10, 20, 110, 220]}]', CUP),
    Reply("the only quote never closes", '{"bbox_2d: [10, 20, 110, 220]}', CUP),
    Reply("closing brace lost", '[{"bbox_2d": [10, 20, 110, 220], "label": "cup", ' + OTHER + "]", TWO),
    Reply("all closing braces lost", '[{"bbox_2d": [10, 20, 110, 220], "label": "cup"]', CUP),
    Reply("opening brace lost", '"bbox_2d": [10, 20, 110, 220], "label": "cup"}, ' + OTHER + "]", TWO),
    Reply("no braces at all", '["bbox_2d": [10, 20, 110, 220], "label": "cup"]', CUP),
    Reply("a bracket too many in an object", '[{"bbox_2d": [10, 20, 110, 220]], "label": "cup"}, ' + OTHER + "]", TWO),
    Reply("crossed brackets of a box", '[{"bbox_2d": [10, 20, 110, 220), "label": "cup"}]', CUP),
    Reply("round brackets", '[{"bbox_2d": (10, 20, 110, 220), "label": "cup"}]', CUP),
    Reply("no commas", '[{"bbox_2d" [10 20 110 220] "label" "cup"}]'.replace('d" [', 'd": [').replace('l" "', 'l": "'), CUP),
    Reply("semicolons", '[{"bbox_2d": [10; 20; 110; 220]; "label": "cup"}]', CUP),
    Reply("a prosaic preamble with braces", f"In {{short}} (and ['politely']): [{ONE}] :-) :( {{bye}}", CUP),
    Reply("an empty list first", f"[]\n[{ONE}]\n[{OTHER}]", TWO),
    Reply("cut inside a key", f'[{ONE}, {{"bbox_2', CUP),
    Reply("cut right after the last number", f'[{ONE}, {{"bbox_2d": [300, 20, 410, 220', CUP),
    Reply("cut among many boxes of one key", '[{"label": "cup", "bbox_2d": [[10, 20, 110, 220], [300, 20, 41', CUP),
    Reply("cut in a corner number", f'[{ONE}, {{"label": "cup", "x1": 300, "y1": 20, "x2": 410, "y2": 22', CUP),
    Reply("corners as keys", '[{"xmin": 10, "ymin": 20, "xmax": 110, "ymax": 220, "name": "cup"}]', CUP),
    Reply("sides as keys", '{"left": "10", "top": "20", "right": "110", "bottom": "220", "Class-Name": "cup"}', CUP),
    Reply("corners in an object list", '{"boxes": [{"x1": 10, "y1": 20, "x2": 110, "y2": 220}]}', CUP),
    Reply("points with named coordinates", '{"box": [{"x": 10, "y": 20}, {"x": 110, "y": 220}], "label": "cup"}', CUP),
    Reply("wrappers in wrappers", f'{{"result": {{"data": {{"items": [{ONE}]}}}}}}', CUP),
    Reply("bare boxes in a wrapper", '{"objects": [[10, 20, 110, 220], [300, 20, 410, 220]]}', TWO),
    Reply("a box as the answer", '{"answer": [10, 20, 110, 220]}', CUP),
    Reply("shouted reasoning", f"<THINK>[1, 2, 300, 400]</THINK>[{ONE}]", CUP),
    Reply("line ends spelt out", '[\\n {"bbox_2d": [10,\\n 20, 110, 220],\\n\\t"label": "cup"}\\n]', CUP),
    Reply("a name beside an unknown key", '{"label": "mug", "position": [10, 20, 110, 220]}', [("mug", A)]),
    Reply("quotes that do not match", '[{"bbox_2d": [10, 20, 110, 220], "label": \'cup"}, ' + OTHER + "]", TWO),
    Reply("names in names", '{"table": {"mug": [10, 20, 110, 220], "jar": [[300, 20, 410, 220]]}}', [("mug", A), ("jar", B)]),
    Reply("tuples in a list", "[(10, 20, 110, 220), (300, 20, 410, 220)]", TWO),
    Reply("names over objects", '{"mug": [{"bbox_2d": [10, 20, 110, 220]}], "jar": {"box": [300, 20, 410, 220]}}', [("mug", A), ("jar", B)]),
    Reply("boxes quoted under names", '{"mug": "10, 20, 110, 220"}', [("mug", A)]),
    Reply("bracketed box in quotes", '[{"bbox_2d": "[10, 20, 110, 220]", "label": "cup"}]', CUP),
    Reply("points in quotes", '[{"bbox_2d": "(10, 20), (110, 220)", "label": "cup"}]', CUP),
    Reply("Python constants", "[{'bbox_2d': [10, 20, 110, 220], 'label': None, 'ok': True}]", CUP),
    Reply("the empty name", '[{"bbox_2d": [10, 20, 110, 220], "label": "  "}]', CUP),
    Reply("the empty name among two wanted", '[{"bbox_2d": [10, 20, 110, 220], "label": ""}]', [("object", A)], ("cup", "jar")),
    Reply("a list of one name", '[{"bbox_2d": [10, 20, 110, 220], "label": ["cup"]}]', CUP),
    Reply("controls in the label", '[{"bbox_2d": [10, 20, 110, 220], "label": "cup\\u0000\\u202e\\n two"}]', [("cup two", A)]),
    Reply("half an emoji in the label", '[{"bbox_2d": [10, 20, 110, 220], "label": "cup \\ud83d"}]', [("cup \ufffd", A)]),
    Reply("an emoji as two escapes", '[{"bbox_2d": [10, 20, 110, 220], "label": "cup \\ud83c\\udf75"}]', [("cup 🍵", A)]),
    Reply("a label of a thousand letters", f'[{{"bbox_2d": [10, 20, 110, 220], "label": "{"x" * 1000}"}}]', [("x" * 64, A)]),
    Reply("not a number", f'[{{"bbox_2d": [NaN, 20, 110, 220], "label": "cup"}}, {OTHER}]', [("cup", B)]),
    Reply("infinity", f'[{{"bbox_2d": [10, 20, Infinity, 1e999], "label": "cup"}}, {OTHER}]', [("cup", B)]),
    Reply("exponents and signs", '[{"bbox_2d": [1e1, +20, 1.1e2, 220.0], "label": "cup"}]', CUP),
    Reply("five numbers", f'[{{"bbox_2d": [10, 20, 110, 220, 0.9], "label": "cup"}}, {OTHER}]', [("cup", B)]),
    Reply("a box of words", f'[{{"bbox_2d": ["<x1>", "<y1>", "<x2>", "<y2>"], "label": "cup"}}, {OTHER}]', [("cup", B)]),
    Reply("the template echoed", '{"language": "en", "text": "<ref-object>"}', []),
    Reply("other keys hold numbers", '[{"bbox_2d": [10, 20, 110, 220], "color": [1, 2, 255, 255], "label": "cup"}]', CUP),
    Reply("3D and 2D side by side", f'[{{"bbox_3d": [1, 2, 300, 400], "label": "cup"}}, {ONE}]', CUP),
    Reply("a part in its whole", f'[{ONE}, {{"bbox_2d": [50, 20, 110, 220], "label": "handle"}}]', [("cup", A), ("handle", (50, 20, 110, 220))]),
    Reply("near twins of two names", f'[{ONE}, {{"bbox_2d": [10, 20, 110, 240], "label": "mug"}}]', [("cup", A), ("mug", (10, 20, 110, 240))]),
    Reply("near twins of one name, other case", f'[{ONE}, {{"bbox_2d": [10, 20, 110, 240], "label": "CUP"}}]', CUP),
    Reply("far out and nonsense", f'[{{"bbox_2d": [-300, 20, 110, 220], "label": "cup"}}, {OTHER}]', [("cup", B)]),
    Reply("fractions with the whole picture", '[{"bbox_2d": [0, 0, 1, 0.5], "label": "cup"}]', [("cup", (0, 0, 1000, 500))]),
    Reply("fractions that binary cannot hold", '[{"bbox_2d": [0.29, 0.57, 0.58, 0.7], "label": "cup"}]', [("cup", (290, 570, 580, 700))]),
    Reply("pixels of a large photo", '[{"bbox_2d": [100, 200, 1900, 1200], "label": "cup"}]', [("cup", (100, 200, 1900, 1200))], size=(2000, 1500)),
    Reply("the old notation", "<|object_ref_start|>mug<|object_ref_end|><|box_start|>(10,20),(110,220)<|box_end|>", [("mug", A)]),
    Reply("the old notation, name cut", "<|box_start|>(10,20),(110,220)<|box_end|><|object_ref_start|>mu", CUP),
    Reply("the old notation without its marks", "mug(10,20),(110,220)(300,20),(410,220)", TWO),
    Reply("points in prose", "It runs from (10, 20) to (110, 220).", CUP),
    Reply("a bulleted list of numbers", "1. cup: [10, 20, 110, 220]\n2. cup: [300, 20, 410, 220]", TWO),
    Reply("only brackets", "[[[[{{{{((((", []),
    Reply("only quotes", "\"'\"'\"\"''", []),
]  # fmt: skip
