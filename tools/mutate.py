# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Every mutant of the engine's sources: one small change of one expression or statement.

Clang parses the sources and prints its tree as JSON; what is changed is the text between
two offsets of a file. Nothing inside an assertion or another macro is changed, nor an
operand that is a constant of the build (S2_USE_...).
"""

import collections
import json
import pathlib
import re
import subprocess

Mutant = collections.namedtuple("Mutant", "file begin end new kind function")

RELATIONS = {
    "<": ["<=", ">="],
    "<=": ["<", ">"],
    ">": [">=", "<="],
    ">=": [">", "<"],
    "==": ["!="],
    "!=": ["=="],
}
OPERATORS = {
    "+": ["-"],
    "-": ["+"],
    "*": ["/"],
    "/": ["*"],
    "&": ["|"],
    "|": ["&"],
    "^": ["|"],
    "<<": [">>"],
    ">>": ["<<"],
    "&&": ["||"],
    "||": ["&&"],
    "+=": ["-="],
    "-=": ["+="],
    "|=": ["&=", "="],
    "&=": ["|=", "="],
    "<<=": [">>="],
    ">>=": ["<<="],
}
# Weaker: an ordering, the reach of a barrier or of an invalidation.
WEAKER = {
    "s2_port_store_release": ["s2_port_store"],
    "s2_port_dsb_ish": ["s2_port_dsb_ishst", "s2_port_dsb_nsh"],
    "s2_port_dsb_sy": ["s2_port_dsb_ish"],
    "s2_port_dsb_ishst": ["s2_port_dsb_nsh"],
    "s2_port_tlbi_ipas2e1is": ["s2_port_tlbi_ipas2e1"],
    "s2_port_tlbi_vmalle1is": ["s2_port_tlbi_vmalle1"],
    "s2_port_tlbi_vmalls12e1is": ["s2_port_tlbi_vmalle1is"],
}
STATEMENTS = {
    "CallExpr", "BinaryOperator", "CompoundAssignOperator", "UnaryOperator", "BreakStmt",
    "ContinueStmt", "IfStmt",
}  # fmt: skip
COMMENT = re.compile(r"/\*.*?\*/", re.S)


def blank(match):
    return re.sub(r"[^\n]", " ", match[0])


class Source:
    def __init__(self, root, name):
        self.name = name
        # Clang counts bytes, and so does Latin-1.
        self.text = (root / name).read_text("latin-1")
        self.code = COMMENT.sub(blank, self.text)

    def closing(self, at):
        """The offset behind the parenthesis that the one at @at opens."""
        depth = 0
        while True:
            depth += {"(": 1, ")": -1}.get(self.code[at], 0)
            at += 1
            if not depth:
                return at


class Parser:
    """Finds the mutants of one translation unit."""

    def __init__(self, root, sources):
        self.root = root
        self.sources = sources
        self.found = {}
        self.names = {}
        self.file = None

    def note(self, begin, end, new, kind):
        source = self.sources[self.here]
        old = source.code[begin:end]
        if "S2_USE_" in new + old and kind in ("operand", "statement"):
            return
        if old.strip() == new.strip():
            return
        m = Mutant(self.here, begin, end, new, kind, self.function)
        self.found.setdefault((begin, end, new, self.here), m)

    # ---- places

    def locate(self, node):
        """Resolve what the dump leaves out: a file that is that of the place before."""
        if isinstance(node, list):
            for item in node:
                self.locate(item)
        elif isinstance(node, dict):
            if "offset" in node:
                if "file" in node:
                    self.file = node["file"]
                node["file"] = self.file
            for key, item in node.items():
                if key != "includedFrom" and isinstance(item, (dict, list)):
                    self.locate(item)

    def span(self, node):
        """(begin, end) of the node in the file it is written in, or None."""
        place = node.get("range", {})
        ends = []
        for key in ("begin", "end"):
            at = place.get(key, {})
            if at.get("expansionLoc", {}).get("isMacroArgExpansion"):
                return None
            at = at.get("expansionLoc", at)
            if "offset" not in at or self.name(at["file"]) != self.here:
                return None
            ends.append(at)
        source = self.sources[self.here]
        begin = ends[0]["offset"]
        end = ends[1]["offset"] + ends[1]["tokLen"]
        if "expansionLoc" in place["end"]:
            rest = source.code[end:]
            gap = len(rest) - len(rest.lstrip())
            if rest.lstrip().startswith("("):
                end = source.closing(end + gap)
        return begin, end

    def name(self, path):
        if path not in self.names:
            full = (self.root / path).resolve()
            inside = full.is_relative_to(self.root)
            self.names[path] = str(full.relative_to(self.root)) if inside else None
        return self.names[path]

    def inside_macro(self, node):
        """Whether any of it is spelled in a macro: its text says another thing."""
        place = node["range"]
        return "expansionLoc" in place["begin"] or "expansionLoc" in place["end"]

    def text(self, node):
        span = self.span(node)
        return self.sources[self.here].text[span[0]:span[1]] if span else None

    # ---- mutations

    def operator(self, node):
        left, right = node["inner"]
        a, b, all_ = self.span(left), self.span(right), self.span(node)
        if not a or not b or not all_ or self.whole_macro(node, all_):
            return
        gap = self.sources[self.here].code[a[1]:b[0]]
        op = node["opcode"]
        found = list(re.finditer(rf"(?<![-+<>=!&|^*/]){re.escape(op)}(?![-+<>=&|])", gap))
        if len(found) != 1:
            return
        begin = a[1] + found[0].start()
        for new in RELATIONS.get(op, []):
            self.note(begin, begin + len(op), new, "relation")
        for new in OPERATORS.get(op, []):
            if "S2_USE_" not in self.sources[self.here].code[a[0]:b[1]]:
                self.note(begin, begin + len(op), new, "operator")
        if op in ("&&", "||", "&", "|", "+", "-"):
            # Without one operand.
            for begin, end in ((all_[0], b[0]), (a[1], all_[1])):
                self.note(begin, end, "", "operand")

    def whole_macro(self, node, span):
        """The node is what a macro expands to, not something that has one in it."""
        begin = node["range"]["begin"].get("expansionLoc", {})
        end = node["range"]["end"].get("expansionLoc", {})
        return bool(begin) and begin.get("offset") == end.get("offset")

    def condition(self, node):
        span = self.span(node)
        if not span:
            return
        text = self.sources[self.here].text[span[0]:span[1]]
        if "S2_USE_" not in text:
            self.note(*span, f"!({text})", "condition")

    def statement(self, node):
        span = self.span(node)
        if not span:
            return
        source = self.sources[self.here]
        begin, end = span
        if self.whole_macro(node, span):
            return
        if node["kind"] == "IfStmt":
            # With what it guards; not one that is the else of another, or has one.
            if len(node["inner"]) == 2:
                text = source.code[begin:end]
                if not text.rstrip().endswith("}"):
                    end = source.code.index(";", end) + 1
                self.note(begin, end, ";", "statement")
            return
        if node["kind"] == "UnaryOperator" and node["opcode"] not in ("++", "--"):
            return
        if node["kind"] == "BinaryOperator" and node["opcode"] != "=":
            return
        self.note(begin, end, "", "statement")

    def constant(self, node):
        span = self.span(node)
        if not span or self.inside_macro(node):
            return
        text = self.sources[self.here].text[span[0]:span[1]]
        found = re.fullmatch(r"(0x[0-9a-fA-F]+|\d+)([uUlL]*)", text)
        if not found:
            return
        value = int(found[1], 0)
        show = hex if found[1].startswith("0x") else str
        self.note(*span, show(value + 1) + found[2], "constant")
        if value:
            self.note(*span, show(value - 1) + found[2], "constant")

    def call(self, node):
        callee, *args = node.get("inner", [{}])
        span = self.span(callee)
        if span and not self.inside_macro(callee):
            name = self.sources[self.here].text[span[0]:span[1]]
            for weaker in WEAKER.get(name, []):
                self.note(*span, weaker, "ordering")
        for a, b in zip(args, args[1:]):
            types = [x.get("type", {}).get("qualType") for x in (a, b)]
            spans = [self.span(a), self.span(b)]
            if types[0] != types[1] or None in spans:
                continue
            first, gap, second = (
                self.sources[self.here].text[i:j]
                for i, j in (spans[0], (spans[0][1], spans[1][0]), spans[1])
            )
            if first != second:
                self.note(spans[0][0], spans[1][1], second + gap + first, "arguments")

    def returned(self, node):
        inner = node.get("inner")
        if not inner:
            return
        span = self.span(inner[0])
        if not span:
            return
        text = self.sources[self.here].text[span[0]:span[1]]
        kind = self.returns
        if kind in ("bool", "_Bool"):
            if text in ("true", "false"):
                self.note(*span, "false" if text == "true" else "true", "return")
            elif "S2_USE_" not in text:
                self.note(*span, f"!({text})", "return")
        elif re.fullmatch(r"-?S2_(E_|MORE)\w*", text):
            self.note(*span, "0", "return")
        elif kind == "int" and re.fullmatch(r"\w+", text) and text not in ("0",):
            self.note(*span, "0", "return")

    # ---- the tree

    def function_body(self, node):
        begin = node.get("range", {}).get("begin", {})
        begin = begin.get("expansionLoc", begin)
        self.here = self.name(begin.get("file") or "")
        self.function = node["name"]
        self.returns = node["type"]["qualType"].split("(")[0].strip()
        for child in node.get("inner", []):
            if self.here in self.sources and child.get("kind") == "CompoundStmt":
                self.visit(child)

    def visit(self, node):
        kind = node.get("kind")
        inner = [n for n in node.get("inner", []) if n]
        if kind in ("BinaryOperator", "CompoundAssignOperator") and len(inner) == 2:
            self.operator(node)
        elif kind in ("IfStmt", "WhileStmt", "ConditionalOperator"):
            self.condition(inner[0])
        elif kind == "DoStmt":
            self.condition(inner[1])
        elif kind == "IntegerLiteral":
            self.constant(node)
        elif kind == "CallExpr":
            self.call(node)
        elif kind == "ReturnStmt":
            self.returned(node)
        elif kind == "UnaryOperator" and node.get("opcode") == "!":
            span = self.span(node)
            if span and not self.inside_macro(node):
                self.note(span[0], span[0] + 1, "", "condition")
        bodies = []
        if kind == "CompoundStmt":
            bodies = inner
        elif kind in ("IfStmt", "WhileStmt", "ForStmt"):
            bodies = inner[1:] if kind == "IfStmt" else inner[-1:]
        for body in bodies:
            if body.get("kind") in STATEMENTS and (
                body["kind"] != "IfStmt" or kind == "CompoundStmt"
            ):
                self.statement(body)
        for child in inner:
            self.visit(child)


def defines(source):
    """Constants that a header's #define spells, by one more or less."""
    for line in re.finditer(r"^#define[ \t]+(\w+)[ \t]+(\S.*)$", source.code, re.M):
        for n in re.finditer(r"(?<![\w.])(0x[0-9a-fA-F]+|\d+)(?=u?\b)", line[2]):
            value = int(n[0], 0)
            show = hex if n[0].startswith("0x") else str
            begin = line.start(2) + n.start()
            for new in {value + 1, value - 1}:
                if new >= 0 and not line[1].startswith(("S2_USE_", "S2_PROFILE")):
                    yield Mutant(source.name, begin, begin + len(n[0]), show(new),
                                 "constant", line[1])  # fmt: skip


def mutants(root, rooms, flags):
    """All of them, sorted. @flags: what the compiler needs to find the headers."""
    root = pathlib.Path(root).resolve()
    names = sorted(
        str(path.relative_to(root)) for room in rooms for path in (root / room).glob("*.[ch]")
    )
    sources = {name: Source(root, name) for name in names}
    found = set()
    # All in one translation unit, so that no header is parsed twice.
    unit = "".join(f'#include "{root / name}"\n' for name in names if name.endswith(".c"))
    done = subprocess.run(
        ["clang", "-std=c11", "-w", *flags, "-fsyntax-only", "-Xclang", "-ast-dump=json",
         "-x", "c", "-"],
        input=unit.encode(), stdout=subprocess.PIPE, check=True, cwd=root,
    )  # fmt: skip
    parser = Parser(root, sources)
    tree = json.loads(done.stdout)
    parser.locate(tree)
    for node in tree["inner"]:
        if node.get("kind") == "FunctionDecl":
            parser.function_body(node)
    found = set(parser.found.values())
    for name in names:
        if name.endswith(".h"):
            found.update(defines(sources[name]))
    return sorted(found), sources


def applied(source, m):
    """The file with the mutant in it. Assertions keep their line numbers."""
    lines = source.text.count("\n", m.begin, m.end) - m.new.count("\n")
    return source.text[:m.begin] + m.new + "\n" * lines + source.text[m.end:]


def described(source, m):
    """(line number, the lines before, the same after), white space made one blank."""
    first = source.text.rfind("\n", 0, m.begin) + 1
    last = source.text.find("\n", m.end)
    before = source.text[first:last]
    after = source.text[first:m.begin] + m.new + source.text[m.end:last]
    line = source.text.count("\n", 0, m.begin) + 1
    return line, " ".join(before.split()), " ".join(after.split())
