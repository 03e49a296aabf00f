// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The page of s2lab report: the address space, a picture for each moment.

const map = { at: 0, cell: null, cells: new Map() };

function mapStart() {
	const slider = byId("map-at"), { maps } = data;

	byId("map-section").hidden = !maps.length;
	if (!maps.length)
		return;
	const size = m => sum(m.cells.map(c => sum(c.slice(1))));
	// Begin where most is mapped.
	map.at = maps.reduce((best, m, i) => size(m) > size(maps[best]) ? i : best, 0);
	slider.max = maps.length - 1;
	const move = to => {
		map.at = Math.min(Math.max(to, 0), maps.length - 1);
		mapDraw();
	};
	slider.addEventListener("input", () => move(Number(slider.value)));
	byId("map-back").addEventListener("click", () => move(map.at - 1));
	byId("map-on").addEventListener("click", () => move(map.at + 1));
	mapDraw();
}

const WHY = { phase: "at the start of ", time: "", destroy: "when it was destroyed" };

function mapDraw() {
	const { maps } = data, m = maps[map.at], box = byId("map");
	const same = maps.filter(o => o.vm === m.vm);
	const width = widthOf(box), label = narrow() ? 92 : 116;
	const columns = width - label > 720 ? 32 : 16;
	const wide = (width - label) / columns, high = 22, gap = 10;
	const perRow = columns * m.cell_bytes;
	// The rows of all moments, so that nothing moves as time goes on.
	const rows = [...new Set(same.flatMap(o => o.cells.map(
		c => Math.floor(c[0] / perRow))))].sort((a, b) => a - b);
	const sums = LEVELS.map((_, level) => sum(m.cells.map(c => c[level + 1])));
	const phase = data.by_phase.filter(p => p.t <= m.t + 1e-9).pop();
	let y = 2;

	byId("map-at").value = map.at;
	byId("map-back").disabled = map.at === 0;
	byId("map-on").disabled = map.at === maps.length - 1;
	byId("map-note").textContent =
		`A cell is ${bytes(m.cell_bytes)} of guest-physical addresses, a row ` +
		`${bytes(perRow)}. How far a cell is filled is how much of it is ` +
		"mapped. Rows in which nothing is ever mapped are left out.";
	byId("map-when").textContent = `${time(m.t)}, VM ${m.vm}, ` + WHY[m.why] +
		(m.why === "destroy" ? "" : phase && phase.phase || "the recording") +
		`: ${bytes(sum(sums))} mapped`;
	byId("map-at").setAttribute("aria-valuetext", byId("map-when").textContent);
	byId("map-sums").replaceChildren();
	LEVELS.forEach(([kind, name], level) => {
		if (sums[level] || level > 1)
			add(byId("map-sums"), "span", { style: `--c: var(--${kind})` },
			    `${name}: ${bytes(sums[level])}`);
	});
	box.replaceChildren();
	const picture = svg(box, "svg", { role: "img", tabindex: 0, "aria-label":
		"Address space. " + byId("map-when").textContent + ". Arrow keys read cells." });
	map.cells = new Map();
	const here = new Map(m.cells.map(c => [c[0], c]));
	rows.forEach((row, i) => {
		if (i && rows[i - 1] + 1 !== row)
			y += gap;
		svg(picture, "text", { x: 0, y: y + 16 }).textContent = hex(row * perRow);
		for (let col = 0; col < columns; col++) {
			const ipa = row * perRow + col * m.cell_bytes;
			const cell = here.get(ipa) || [ipa, 0, 0, 0, 0];
			const x = label + col * wide;
			let top = y + high;

			svg(picture, "rect", { class: "cell", x: x + 0.5, y: y + 0.5,
					       width: wide - 2, height: high });
			LEVELS.forEach(([kind], level) => {
				const part = cell[level + 1] / m.cell_bytes;
				if (!part)
					return;
				const tall = Math.max(part * high, 2);
				top -= tall;
				svg(picture, "rect", {
					class: kind, x: x + 1, y: Math.max(top, y) + 1,
					width: wide - 3, height: tall - 1,
				});
			});
			map.cells.set(ipa, { x, y, cell, i, col });
		}
		y += high + 3;
	});
	picture.setAttribute("viewBox", `0 0 ${width} ${y + 2}`);
	picture.setAttribute("height", y + 2);
	const mark = svg(picture, "rect", { class: "at", width: wide - 1, height: high + 1,
					    visibility: "hidden" });
	const select = found => {
		if (!found)
			return;
		map.cell = found;
		mark.setAttribute("x", found.x);
		mark.setAttribute("y", found.y);
		mark.setAttribute("visibility", "visible");
		const parts = LEVELS
			.map(([, name], level) => [found.cell[level + 1], name])
			.filter(([n]) => n).map(([n, name]) => `${bytes(n)} by ${name}`);
		byId("map-readout").textContent =
			`${hex(found.cell[0])}: ${parts.join(", ") || "nothing mapped"}`;
	};
	const list = [...map.cells.values()];
	const near = e => {
		const r = picture.getBoundingClientRect();
		const px = (e.clientX - r.left) * width / r.width;
		const py = (e.clientY - r.top) * (y + 2) / r.height;
		select(list.find(c => px >= c.x && px < c.x + wide && py >= c.y &&
				 py < c.y + high + 3));
	};
	picture.addEventListener("pointermove", near);
	picture.addEventListener("pointerdown", near);
	picture.addEventListener("keydown", e => {
		const at = list.findIndex(c => c.cell[0] === map.cell?.cell[0]);
		const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns,
			     ArrowDown: columns }[e.key];
		if (by === undefined)
			return;
		e.preventDefault();
		select(list[Math.min(Math.max(at + by, 0), list.length - 1)]);
	});
}
