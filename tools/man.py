# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""man.py S2LAB FOLDER: the man pages of s2lab and its completion for bash, made from what
s2lab says of itself (--help): s2lab.1, s2lab-COMMAND.1 for each command, s2lab.bash."""

import pathlib
import re
import subprocess
import sys

COMMAND = re.compile(r"^  (\w+) +(\S.*)$", re.M)
OPTION = re.compile(r"--[a-z][a-z-]*[a-z]")
# What the argument of an option is, if the shell knows it better than a file name.
VALUES = {
    "--features": "fwb tlbirange ttl bbm1 bbm2 lpa2 hafdbs xnx ets2 none",
    "--granule": "4k 16k 64k",
    "--trace-for": "casemate events",
    "--op": "unmap split collapse",
    "--strategy": "entry posted review merged stage2 all",
    "--posted-count": "linux bare",
    "--posted-free": "rcu rcu-open now",
}


def says(s2lab, *args):
    done = subprocess.run([s2lab, *args], check=True, capture_output=True, text=True)
    return done.stdout


def roff(text):
    """Text as it is: no line becomes a request, minus signs can be copied."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", text)


class Page:
    """Lines of help become lists and paragraphs."""

    def __init__(self, name, about, version):
        self.out = [f'.TH {roff(name.upper())} 1 "" "s2lab {version}" "libstage2"',
                    ".SH NAME", f"{roff(name)} \\- {roff(about)}"]
        self.options = False    # its section has begun
        self.item = False       # in an item of a list
        self.broken = False     # the lines of this item are kept apart

    def synopsis(self, lines):
        self.out.append(".SH SYNOPSIS")
        for n, line in enumerate(lines):
            self.out += [".br"] if n else []
            self.out.append(roff(line.removeprefix("usage: ").strip()))
        self.out.append(".SH DESCRIPTION")

    def line(self, line, before):
        option = re.match(r"^  ((?:-\w, )?--\S+(?: [A-Z|]+)?)(?: +(\S.*))?$", line)
        item = option or re.match(r"^  (\S.*?)  +(\S.*)$", line)
        if item:
            if option and not self.options:
                self.options = True
                self.out.append(".SH OPTIONS")
            self.out += [".TP", f".B {roff(item[1])}"]
            self.out += [roff(item[2])] if item[2] else []
            self.item, self.broken = True, False
        elif line.startswith("  ") and self.item:
            self.broken |= before.rstrip().endswith(":")
            self.out += [".br"] if self.broken else []
            self.out.append(roff(line.strip()))
        else:
            if not before.strip() or self.item:
                self.out.append(".PP")
            self.item = False
            self.out.append(roff(line.strip()))

    def body(self, lines):
        before = ""
        for line in lines:
            if line.strip():
                self.line(line, before)
            else:
                self.item = False
            before = line
        return self

    def text(self, others):
        self.out += [".SH SEE ALSO", ", ".join(f"\\fB{roff(o)}\\fR(1)" for o in others)]
        # A paragraph directly after a heading needs no request.
        text = "\n".join(self.out) + "\n"
        return re.sub(r"(\.SH [A-Z ]+\n)\.PP\n", r"\1", text)


def page(name, about, version, text, others):
    lines = text.splitlines()
    first = next(n for n, line in enumerate(lines) if not line.strip())
    made = Page(name, about, version)
    made.synopsis(lines[:first])
    return made.body(lines[first + 1:]).text(others)


def completion(s2lab, commands):
    cases, values = [], []
    for name in commands:
        text = says(s2lab, name, "--help")
        options = sorted(set(OPTION.findall(text)) | {"--help"})
        cases.append(f"\t{name}) words='{' '.join(options)}' ;;")
    for option, words in VALUES.items():
        values.append(f"\t{option}) list='{words}' ;;")
    profiles = re.findall(r"^  (\S+)  ", says(s2lab, "compare", "--help").split(
        "Profiles for")[1], re.M)
    values.append(f"\t--cpu) list='{' '.join(profiles)}' ;;")
    return f"""# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Completion of s2lab for bash. Made by tools/man.py.
_s2lab()
{{
	local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD - 1]}}
	local words= list=

	COMPREPLY=()
	if [ "$COMP_CWORD" = 1 ] || {{ [ "$COMP_CWORD" = 2 ] && [ "$before" = help ]; }}; then
		COMPREPLY=($(compgen -W '{' '.join(commands)} help --help --version' -- "$word"))
		return
	fi
	case $before in
{chr(10).join(values)}
	esac
	if [ -n "$list" ]; then
		# Lists: the last of the words between commas.
		local done=${{word%"${{word##*,}}"}}
		COMPREPLY=($(compgen -P "$done" -W "$list" -- "${{word##*,}}"))
		return
	fi
	case ${{COMP_WORDS[1]}} in
{chr(10).join(cases)}
	esac
	case $word in
	-*) COMPREPLY=($(compgen -W "$words" -- "$word")) ;;
	*) COMPREPLY=($(compgen -f -- "$word")) ;;
	esac
}}
complete -o filenames -F _s2lab s2lab
"""


def main():
    s2lab, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    version = says(s2lab, "--version").split()[1]
    text = says(s2lab, "--help")
    commands = dict(COMMAND.findall(text))
    names = [f"s2lab-{name}" for name in commands]
    (folder / "s2lab.1").write_text(
        page("s2lab", "Arm stage-2 translation tables, judged step by step", version, text,
             names))
    for name, about in commands.items():
        others = ["s2lab"] + [n for n in names if n != f"s2lab-{name}"]
        (folder / f"s2lab-{name}.1").write_text(
            page(f"s2lab-{name}", about, version, says(s2lab, name, "--help"), others))
    (folder / "s2lab.bash").write_text(completion(s2lab, commands))


if __name__ == "__main__":
    main()
