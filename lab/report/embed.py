#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""embed.py OUT.c PAGE.html [PART...] [--chart CHART.js]: the page of s2lab report as C, in
front of and behind its data. page.html names the parts that go into it as {{FILE}}, and
Chart.js as {{chart}}. Without Chart.js there is no page."""

import os
import re
import sys


def read(path):
    with open(path, encoding="utf-8") as f:
        text = f.read()
    # The first would end the script that it is in, the others begin what has no end.
    if path.endswith(".js") and re.search(r"</script|<script|<!--", text, re.I):
        sys.exit(f"{path} cannot be part of a page: it has <!--, <script or </script")
    return re.sub(r"\n?//# sourceMappingURL=.*", "", text)


def main():
    out, page, *parts = sys.argv[1:]
    before = after = ""
    if "--chart" in parts:
        at = parts.index("--chart")
        text = {os.path.basename(path): read(path) for path in parts[:at]}
        text["chart"] = read(parts[at + 1])
        page = re.sub(r"\{\{([\w.]+)\}\}", lambda m: text.get(m[1], m[0]), read(page))
        before, after = page.split("{{data}}")
    with open(out, "w", encoding="utf-8") as f:
        f.write('#include "page.h"\n')
        for name, part in (("before", before), ("after", after)):
            # C allows no array of nothing.
            numbers = [*part.encode(), 0]
            f.write(f"const unsigned char page_{name}[] = {{\n")
            for i in range(0, len(numbers), 32):
                f.write(",".join(map(str, numbers[i:i + 32])) + ",\n")
            f.write(f"}};\nconst size_t page_{name}_len = sizeof(page_{name}) - 1;\n")


if __name__ == "__main__":
    main()
