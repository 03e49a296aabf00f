// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The page of s2lab report: its parts, from the object of `s2lab replay --json`.

// ---- the whole recording ---------------------------------------------------

// What of the recording is not replayed, or not as it was.
function notes() {
	const out = [
		[data.vms_earlier, "VM", " that ran before the recording began"],
		[data.left_out_calls, "call", " of other VMs"],
		[data.failed_calls, "failed call", ""],
		[data.found_nothing, "fault", " whose page was not mapped"],
	].filter(([n]) => n).map(([n, what, which]) => plural(n, what) + which);
	const text = [];

	if (out.length)
		text.push(`Left out: ${out.join(", ")}.`);
	if (data.vms_partial)
		text.push(`${plural(data.vms_partial, "VM")} ran before the recording ` +
			  "began, replayed without what was mapped then.");
	if (data.vms_not_destroyed)
		text.push(`${plural(data.vms_not_destroyed, "VM")} not destroyed in the ` +
			  "recording.");
	return text.join(" ");
}

function head() {
	const n = data.violations.length;
	const verdict = byId("verdict");

	document.title = `${data.file} - s2lab report`;
	byId("name").textContent = data.file.split("/").pop();
	byId("what").textContent = `${data.file}: ${plural(data.vms, "VM")}, ` +
		`${time(data.time.duration)}, ${bytes(data.mapped_bytes)} mapped, ` +
		`${bytes(data.unmapped_bytes)} unmapped; CPU features: ` +
		(data.features.join(", ") || "none");
	byId("notes").textContent = notes();
	verdict.textContent = n ? `${plural(n, "violation")} found` :
		"No violation: the engine's tables are what the recording says.";
	verdict.className = n ? "bad" : "good";
	for (const v of data.violations)
		add(byId("violations"), "p", {},
		    `${v.rule}, line ${v.line}, IPA ${hex(v.ipa)}: ${v.detail}`);
}

function tiles() {
	const figures = [
		["TLB invalidations (TLBI)", "tlbi", tlbis],
		["Barriers (DSB)", "dsb", c => c.dsb],
		["Entries visited", "pte_reads", c => c.pte_reads],
		["Longest call, entries", "longest_step", c => c.longest_step],
		["Cache lines cleaned", "clean_lines", c => c.clean_lines],
	];

	for (const [title, key, get] of figures) {
		const values = WAYS.map(([way]) => get(data[way]));
		if (!values.some(v => v))
			continue;
		const tile = add(byId("tiles"), "div", { class: "tile" });
		add(tile, "h3", {}, title);
		const pair = add(tile, "div", { class: "pair" });
		WAYS.forEach(([way, name, color], i) => {
			add(pair, "b", { class: color, "data-json": `${way}.${key}` },
			    count(values[i]));
			add(pair, "span", { class: color }, name);
		});
		const [theirs, ours] = values;
		add(tile, "div", { class: "times" }, theirs === ours ? "the same" :
			!ours ? "none with this library" : !theirs ? "none with Linux 6.12" :
			`Linux / this library: ${(theirs / ours).toFixed(2)}`);
	}
	if (!data.cpu)
		return;
	const line = add(byId("tiles").parentNode, "p", { class: "estimate" },
			 `Estimated on ${data.cpu.name}, in ${data.cpu.unit}: `);
	WAYS.forEach(([way, name, color], i) => {
		add(line, "b", { class: color },
		    `${i ? ", " : ""}${name} ${count(sum(data.timeline[way].estimate))}`);
	});
	line.append(`. ${data.cpu.says}. The prices were not measured by us.`);
}

function advice() {
	for (const { text } of data.advice) {
		const item = add(byId("advice"), "li");
		const colon = text.indexOf(":") + 1;

		add(item, "b", {}, text.slice(0, colon));
		item.append(text.slice(colon));
	}
	byId("advice-section").hidden = !data.advice.length;
}

// ---- what happened over time -----------------------------------------------

const line = data.timeline;
const shown = { from: 0, to: data.time.duration };
const timeCharts = [];
// What happened to the tables: one row each.
const ACTIVITY = [
	["Unmaps", ["unmap"]], ["Maps", ["map"]],
	["Write-protects and splits", ["wrprotect", "split"]],
	["Permissions relaxed, entries made young", ["relax-perms", "mkyoung"]],
	["Age tests", ["age"]], ["Cleans", ["flush"]],
];

function callsOf(names) {
	const lists = names.map(n => line.calls[n]).filter(l => l);

	return lists.length ? lists[0].map((_, i) => sum(lists.map(l => l[i]))) : null;
}

function activity() {
	const rows = ACTIVITY.map(([title, names]) => [title, callsOf(names)]);

	rows.splice(1, 0, ["Guest faults", line.faults]);
	return rows.filter(([, list]) => list && list.some(n => n));
}

// Each figure at the end of its bin, so far in what is shown.
function soFar(list) {
	const points = [{ x: shown.from, y: 0 }];
	let all = 0;

	list.forEach((n, i) => {
		const t = (i + 1) * line.bin;
		if (t > shown.from && i * line.bin < shown.to)
			points.push({ x: Math.min(t, shown.to), y: all += n });
	});
	return points;
}

// The lines of both ways, in the whole recording or in phase @i of it.
function bothWays(key, i) {
	return WAYS.map(([way, name, color]) => ({
		label: `${name} ${count(i === undefined ? sum(line[way][key]) :
			data.by_phase[i][way][key])}`,
		color: "--" + color, points: soFar(line[way][key]),
	}));
}

function timeChart(options) {
	const { made, canvas, name } = chart(byId("time-charts"), {
		overTime: true, x: { min: 0, max: data.time.duration }, ...options });
	const point = e => {
		const box = canvas.getBoundingClientRect();
		const t = made.scales.x.getValueForPixel(e.clientX - box.left);
		read(Math.floor(t / line.bin));
	};

	timeCharts.push(made);
	made.nameLines = name;
	canvas.addEventListener("pointermove", point);
	canvas.addEventListener("pointerdown", point);
	canvas.addEventListener("keydown", e => {
		const at = cursor.at === null ? -1 : Math.floor(cursor.at / line.bin);
		const first = Math.floor(shown.from / line.bin);
		const last = Math.min(Math.ceil(shown.to / line.bin), line.bins) - 1;
		const to = { ArrowLeft: at - 1, ArrowRight: at + 1, PageUp: at - 16,
			     PageDown: at + 16, Home: first, End: last }[e.key];

		if (to === undefined)
			return;
		e.preventDefault();
		read(Math.min(Math.max(to, first), last));
	});
	return made;
}

function read(i) {
	if (!(i >= 0 && i < line.bins))
		return;
	const t = (i + 0.5) * line.bin;
	const out = byId("readout");
	const phase = data.by_phase.filter(p => p.t <= t).pop();
	const say = (text, color) => add(out, "span", color ? { class: color } : {}, text);
	const does = activity().filter(([, list]) => list[i])
		.map(([title, list]) => `${title.toLowerCase()} ${count(list[i])}`);

	cursor.at = t;
	out.replaceChildren();
	add(out, "b", {}, time(i * line.bin));
	say(phase && phase.phase ? `, ${phase.phase}: ` : ": ");
	say(does.join(", ") || "nothing");
	for (const [way, name, color] of WAYS)
		say(`; ${name}: ${plural(line[way].tlbis[i], "TLBI")}, ` +
		    plural(line[way].dsbs[i], "DSB"), color);
	for (const c of timeCharts)
		c.draw();
}

// Phase @i, or the whole recording.
function show(i) {
	shown.from = i === undefined ? 0 : data.by_phase[i].t;
	shown.to = i === undefined ? data.time.duration : endOf(i);
	for (const c of timeCharts) {
		c.options.scales.x.min = shown.from;
		c.options.scales.x.max = shown.to;
		if (c.key)
			bothWays(c.key, i).forEach((set, n) => {
				c.data.datasets[n].data = set.points;
				c.data.datasets[n].label = set.label;
			});
		c.nameLines();
		c.update("none");
	}
	phases();
}

const endOf = i => data.by_phase[i + 1]?.t ?? data.time.duration;

function phases() {
	const box = byId("phases");
	const list = data.by_phase;
	const { left, right } = margin();
	const width = widthOf(box) - left - right;
	const whole = shown.from === 0 && shown.to === data.time.duration;

	const pen = charts[0].ctx;
	box.replaceChildren();
	box.hidden = list.length < 2;
	list.forEach((p, i) => {
		const next = endOf(i);
		const from = Math.max(p.t, shown.from), to = Math.min(next, shown.to);
		const px = t => left + width * (t - shown.from) / (shown.to - shown.from);
		const wide = px(to) - px(from) - 2;
		const name = p.phase || "before the first mark";

		if (to <= from || next === p.t)
			return;
		const is = !whole && p.t === shown.from && next === shown.to;
		const button = add(box, "button", { type: "button",
			title: `${name}: ${time(p.t)} to ${time(next)}`,
			"aria-label": name, "aria-pressed": is });
		button.style.left = px(from) + "px";
		button.style.width = Math.max(wide, 4) + "px";
		// A name that is cut short says little; the button's title has it.
		pen.font = `13px ${Chart.defaults.font.family}`;
		if (pen.measureText(name).width + 8 < wide || wide > 110) {
			button.className = "named";
			button.textContent = name;
		}
		button.addEventListener("click", () => {
			show(is ? undefined : i);
			[...box.children].find(b => b.title === button.title)?.focus();
		});
	});
	const at = list.map(p => p.t).lastIndexOf(shown.from);
	byId("zoom").value = whole || at < 0 ? "" : at;
}

// The same choice as a list, which has room for every name.
function phaseList() {
	const select = byId("zoom");

	add(select, "option", { value: "" }, "the whole recording");
	data.by_phase.forEach((p, i) => {
		if (endOf(i) > p.t)
			add(select, "option", { value: i },
			    `${time(p.t)}: ${phaseName(i)}`);
	});
	select.addEventListener("change", () => {
		show(select.value === "" ? undefined : Number(select.value));
	});
	select.parentNode.hidden = select.options.length < 3;
}

function overTime() {
	for (const [key, title, says] of [
		["tlbis", "TLB invalidations", "so far"], ["dsbs", "DSBs", "so far"]])
		timeChart({
			title, says, height: 200,
			sets: bothWays(key),
		}).key = key;
	for (const [title, list] of activity())
		timeChart({
			title, says: `a second; ${count(sum(list))} in all`, height: 68,
			noTimes: true,
			sets: [{ color: "--bar", fill: true, points: list.map((n, i) => ({
				x: (i + 0.5) * line.bin, y: n / line.bin })) }],
		});
	const most = Math.max(...line.mapped_bytes);
	if (most) timeChart({
		title: "Memory mapped", says: `${bytes(most)} at most`, height: 92,
		format: bytes, step: 2 ** Math.ceil(Math.log2(Math.max(most, 4096) / 2)),
		sets: [{ color: "--bar", fill: true, points: line.mapped_bytes.map((n, i) => ({
			x: (i + 1) * line.bin, y: n })) }],
	});
	phaseList();
	phases();
}

// ---- what a call costs -----------------------------------------------------

// Calls that cost at least so much, from the histogram; the last point is the maximum.
function atLeast(what, way, operation) {
	const { from } = data.histogram[what], n = data.histogram[what][way][operation];
	const { max } = data.percentiles[way][operation][what];
	const points = [];
	let rest = 0;

	for (let i = from.length - 1; i >= 0 && from[i] >= 1; i--) {
		rest += n[i];
		if (rest && from[i] < max)
			points.unshift({ x: from[i], y: rest });
	}
	if (max >= 1)
		points.push({ x: max, y: from.includes(max) ? n[from.indexOf(max)] : 1 });
	return points;
}

function costCharts() {
	const box = byId("cost-charts");
	const operations = Object.keys(data.percentiles.stage2);
	const chosen = add(box.parentNode, "p");
	const label = add(chosen, "label", {}, "Operation: ");
	const select = add(label, "select");
	const whats = [["visits", "Entries visited"], ["dsbs", "DSBs"]];

	box.before(chosen);
	for (const name of operations)
		add(select, "option", { value: name }, name === "all" ? "all of them" : name);
	// The subject of this library, where there is something to see.
	select.value = data.stage2.by_operation.unmap?.calls > 9 ? "unmap" : "all";
	if (data.histogram.estimate)
		whats.push(["estimate", `Estimated time, ${data.cpu.unit}`]);
	const made = whats.map(([what, title]) => {
		const c = chart(box, { title, says: "calls that cost at least so much",
			height: 240, logarithmic: true, sets: WAYS.map(([, , color]) => ({
				label: " ", color: "--" + color, points: [], dots: true })) });
		return [what, c];
	});
	const fill = () => {
		const operation = select.value;

		for (const [what, c] of made) {
			const says = [];
			WAYS.forEach(([way, name], i) => {
				const set = c.made.data.datasets[i];
				const of = data.percentiles[way][operation][what];

				set.data = atLeast(what, way, operation);
				set.label = `${name} ≤ ${count(of.max)}`;
				says.push(`${name}: p50 ${count(of.p50)}, ` +
					  `p99 ${count(of.p99)}, max ${count(of.max)}`);
			});
			c.name();
			c.canvas.setAttribute("aria-label", says.join("; "));
			c.made.update("none");
		}
	};
	select.addEventListener("change", fill);
	fill();
}

// heads: [text, class, columns]; a cell: a number, text, or [content, class, where].
function table(node, groups, heads, rows, last) {
	const thead = add(node, "thead"), tbody = add(node, "tbody");

	if (groups) {
		const tr = add(thead, "tr");
		for (const [text, columns] of groups)
			add(tr, "th", { colspan: columns, scope: "colgroup" }, text);
	}
	const tr = add(thead, "tr");
	for (const [text, kind] of heads)
		add(tr, "th", { scope: "col", class: kind || "" }, text);
	rows.forEach((cells, i) => {
		const row = add(tbody, "tr", last && i === rows.length - 1 ?
				{ class: "all" } : {});
		for (let cell of cells) {
			cell = Array.isArray(cell) ? cell : [cell, ""];
			const td = add(row, "td", { class: cell[1] },
				typeof cell[0] === "number" ? count(cell[0]) : cell[0]);
			if (cell[2])
				td.dataset.json = cell[2];
		}
	});
}

// The figures of both ways, side by side.
const sides = get => WAYS.map(([way, , color]) => [...[get(way)].flat(), color])
	.map(([value, where, color]) => color ? [value, color, where] : [value, where]);
const heads = WAYS.map(([, name, color]) => [name.replace("this library", "this"), color]);

function operations() {
	const names = Object.keys(data.stage2.by_operation);
	const row = (name, of, path, spread) => [
		name, [of("stage2").calls, "", `stage2.${path}calls`],
		...sides(way => [tlbis(of(way)), `${way}.${path}tlbi`]),
		...sides(way => [of(way).dsb, `${way}.${path}dsb`]),
		...["p50", "p99", "max"].flatMap(p => sides(way =>
			[data.percentiles[way][spread].visits[p],
			 `percentiles.${way}.${spread}.visits.${p}`])),
	];

	table(byId("operations"),
	      [["", 2], ["TLBIs", 2], ["DSBs", 2], ["entries visited, p50", 2], ["p99", 2],
	       ["max", 2]],
	      [["operation"], ["calls"], ...heads, ...heads, ...heads, ...heads, ...heads],
	      [...names.map(name => row(name, way => data[way].by_operation[name],
					`by_operation.${name}.`, name)),
	       row("all", way => data[way], "", "all")], true);
}

function worst() {
	const of = data.measure === "estimate" ? "the estimated time" : "entries visited";
	const lists = WAYS.map(([way]) => data.worst[way]);
	const keys = ["visits", "tlbis", "dsbs", ...data.cpu ? ["estimate"] : []];
	const six = WAYS.map(([, name, color]) => [name.split(" ").pop()
		.replace("library", "this"), color]);
	const row = c => [
		count(c.line), time(c.t), [c.operation, "left"], [c.task, "left"],
		[phaseName(c.phase), "left name"],
		[c.size ? `${hex(c.ipa)} + ${bytes(c.size)}` : "all of it", "left"],
		...keys.flatMap(k => sides(way => [c[way][k], ""])),
	];

	byId("worst-section").hidden = !lists.some(l => l.length);
	byId("worst-note").textContent = `Ranked by ${of}, for each side by itself.`;
	const box = byId("worst").parentNode;
	byId("worst").remove();
	lists.forEach((list, i) => {
		const title = `The worst for ${WAYS[i][1]}`;
		add(box, "h3", { class: WAYS[i][2] }, title);
		table(add(box, "table", { "aria-label": title }),
		      [["", 6], ["visits", 2], ["TLBIs", 2], ["DSBs", 2],
		       ...data.cpu ? [[data.cpu.unit, 2]] : []],
		      [["line"], ["at"], ["operation", "left"], ["task", "left"],
		       ["phase", "left"], ["range", "left"], ...keys.flatMap(() => six)],
		      list.map(row));
	});
}

const ROWS = 100; // of a table; VMs and tasks are in order of their cost

function groups() {
	const kinds = [
		["By phase", data.by_phase, p => p.phase || "before the first mark"],
		["By task", data.by_task, t =>
			t.pids > 1 ? `${t.task} (${count(t.pids)} of them)` : t.task],
		["By VM", data.by_vm, v => `VM ${v.vm}, from line ${count(v.line)}`],
	];

	for (const [title, list, name] of kinds) {
		const all = list.filter(x => x.calls), rows = all.slice(0, ROWS);
		const at = rows.some(x => "t" in x);
		if (!rows.length)
			continue;
		add(byId("groups"), "h2", {}, title);
		const box = add(byId("groups"), "div", { class: "scroll", tabindex: 0,
							 role: "region", "aria-label": title });
		table(add(box, "table"),
		      [["", at ? 3 : 2], ["TLBIs", 2], ["DSBs", 2], ["visits", 2],
		       ["worst call", 2]],
		      [[title.replace("By ", "")], ...at ? [["from"]] : [], ["calls"], ...heads,
		       ...heads, ...heads, ...heads],
		      rows.map(x => [name(x), ...at ? [time(x.t)] : [], x.calls,
			...["tlbis", "dsbs", "visits", "max"].flatMap(k =>
				sides(way => [x[way][k], ""]))]));
		if (all.length > ROWS)
			add(byId("groups"), "p", { class: "note" }, `And ${count(
				all.length - ROWS)} more: s2lab replay --json has all.`);
	}
}

// ---- all of it -------------------------------------------------------------

function foot() {
	byId("foot").textContent = "Linux 6.12's costs are those of the same calls as that " +
		"kernel's table code does them, counted on the machine model of libstage2; so " +
		"are this library's. They are counts of events, not times" +
		(data.cpu ? ", but for the estimates, whose prices were not measured by us" : "") +
		". s2lab replay --json prints the figures of this page; docs/replay.md says " +
		"how they are counted. Charts: Chart.js " + Chart.version + ".";
}

Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
Chart.defaults.font.size = 12;
head();
tiles();
advice();
overTime();
costCharts();
operations();
worst();
mapStart();
groups();
foot();

function layout() {
	phases();
	if (data.maps.length)
		mapDraw();
	redraw();
}

let width = document.body.clientWidth;
addEventListener("resize", () => {
	if (document.body.clientWidth === width)
		return;
	width = document.body.clientWidth;
	layout();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
function paper(on) {
	root.classList.toggle("print", on);
	for (const c of charts) {
		c.canvas.parentNode.style.width = on ? PAPER + "px" : "";
		c.resize();
	}
	layout();
}
addEventListener("beforeprint", () => paper(true));
addEventListener("afterprint", () => paper(false));
root.dataset.drawn = "yes";
