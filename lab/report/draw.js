// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The page of s2lab report: what it is made of, and its charts. Text of the recording
// gets into the page as text only (textContent), because a task may have any name.

const data = JSON.parse(document.getElementById("data").textContent);
const root = document.documentElement;
const WAYS = [["merged", "Linux 6.12", "linux"], ["stage2", "this library", "ours"]];
const LEVELS = [["huge", "512 GiB blocks"], ["huge", "1 GiB blocks"],
	["blocks", "2 MiB blocks"], ["pages", "4 KiB pages"]];

// ---- pieces ----------------------------------------------------------------

const byId = id => document.getElementById(id);
const css = name => getComputedStyle(root).getPropertyValue(name).trim();
const sum = list => list.reduce((a, b) => a + b, 0);
const plural = (n, what) => `${count(n)} ${what}${n === 1 ? "" : "s"}`;

function add(parent, tag, props = {}, ...text) {
	const node = document.createElement(tag);

	for (const [name, value] of Object.entries(props))
		node.setAttribute(name, value);
	node.append(...text); // strings become text, not markup
	parent.append(node);
	return node;
}

function svg(parent, tag, props) {
	const node = document.createElementNS("http://www.w3.org/2000/svg", tag);

	for (const [name, value] of Object.entries(props))
		node.setAttribute(name, value);
	parent.append(node);
	return node;
}

// Three digits where it is no whole number.
function count(n) {
	if (!Number.isInteger(n))
		n = Math.abs(n) >= 100 ? Math.round(n) : Number(n.toPrecision(3));
	return n.toLocaleString("en-US", { maximumFractionDigits: 6 });
}

function short(n) {
	for (const [size, name] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]])
		if (n >= size)
			return Number((n / size).toPrecision(3)) + name;
	return String(Number(n.toPrecision(3)));
}

function bytes(n) {
	for (const [power, name] of [[40, "TiB"], [30, "GiB"], [20, "MiB"], [10, "KiB"]])
		if (n >= 2 ** power)
			return Number((n / 2 ** power).toPrecision(4)) + " " + name;
	return n + " B";
}

function time(t) {
	if (data.time.duration < 300)
		return Number(t.toFixed(t < 10 ? 3 : 2)) + " s";
	const s = Math.round(t);
	return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")} min`;
}

const hex = n => "0x" + n.toString(16);
const tlbis = cost => sum(Object.values(cost.tlbi));
const phaseName = i => i === null || !data.by_phase[i] ? "" :
	data.by_phase[i].phase || "before the first mark";

// ---- charts ----------------------------------------------------------------

const charts = [];
// Paper is white, and as wide as A4 between its margins.
const PAPER = 660;
const printing = () => root.classList.contains("print");
const widthOf = node => printing() ? PAPER : node.clientWidth;
const narrow = () => !printing() && document.body.clientWidth < 700;
const margin = () => narrow() ? { left: 58, right: 10 } : { left: 62, right: 168 };

// Points on the line of a data set, a few pixels apart.
function dense(points) {
	return points.flatMap((p, i) => Array.from({ length: 24 }, (_, k) => {
		const q = points[i + 1] ?? p;
		return { x: p.x + (q.x - p.x) * k / 24, y: p.y + (q.y - p.y) * k / 24 };
	}));
}

const overlap = (a, b) => a.left < b.right && b.left < a.right &&
	Math.abs(a.y - b.y) < 17;

// The name of a line and its last figure, at its end; no legend is needed. Where there is
// no room the caption has them.
const endLabels = {
	id: "endLabels",
	afterDatasetsDraw(chart) {
		const { ctx, chartArea: area } = chart;
		const labels = [];

		if (narrow())
			return;
		ctx.save();
		ctx.font = `600 13px ${Chart.defaults.font.family}`;
		const lines = chart.data.datasets.map((_, i) => chart.getDatasetMeta(i)
			.data.filter(p => p.x <= area.right + 1 && Number.isFinite(p.y)));
		chart.data.datasets.forEach((set, i) => {
			const end = lines[i][lines[i].length - 1];
			if (!set.label || !end)
				return;
			const width = ctx.measureText(set.label).width;
			const at = (left, up) => ({
				text: set.label, color: set.borderColor(), y: end.y - up,
				left, right: left + width,
			});
			// What the label would hide of the lines, but for the end itself.
			const hidden = label => lines.flatMap(dense).filter(p =>
				p.x > label.left && p.x < label.right &&
				Math.abs(p.y - label.y) < 9 &&
				Math.hypot(p.x - end.x, p.y - end.y) > 9).length;
			const places = [at(end.x + 9, 0), at(end.x - 9 - width, 0),
					at(end.x + 9, 18), at(end.x - 9 - width, 18)]
				.filter(p => p.left > area.left);
			labels.push(places.reduce((x, y) =>
				hidden(y) < hidden(x) ? y : x));
		});
		labels.sort((x, y) => x.y - y.y);
		if (labels.length > 1 && overlap(labels[0], labels[1]))
			labels[0].y = labels[1].y - 17;
		ctx.textBaseline = "middle";
		ctx.lineJoin = "round";
		ctx.strokeStyle = css("--page");
		ctx.lineWidth = 4;
		for (const l of labels) {
			ctx.strokeText(l.text, l.left, l.y);
			ctx.fillStyle = l.color;
			ctx.fillText(l.text, l.left, l.y);
		}
		ctx.restore();
	},
};

// The place in time that is read, in every chart over time.
const cursor = {
	id: "cursor",
	at: null, // seconds
	afterDraw(chart) {
		const { ctx, chartArea: area } = chart;
		const x = cursor.at === null || !chart.overTime ? NaN :
			chart.scales.x.getPixelForValue(cursor.at);

		if (!(x >= area.left && x <= area.right))
			return;
		ctx.save();
		ctx.strokeStyle = css("--text");
		ctx.lineWidth = 1;
		ctx.beginPath();
		ctx.moveTo(x, area.top);
		ctx.lineTo(x, area.bottom);
		ctx.stroke();
		ctx.restore();
	},
};

function ticksOfTen(scale) {
	const between = scale.max < 50 ? [1, 2, 5] : [1];

	scale.ticks = [];
	for (let n = 1; n <= scale.max * 1.0001; n *= 10)
		scale.ticks.push(...between.map(b => ({ value: b * n }))
			.filter(({ value }) => value <= scale.max * 1.0001));
}

function chart(parent, { title, says, sets, height, logarithmic, overTime, x, format,
			 step, noTimes }) {
	const figure = add(parent, "figure");
	const caption = add(figure, "figcaption", {}, title);
	const box = add(figure, "div", { class: "canvas" });
	const canvas = add(box, "canvas", { tabindex: 0, role: "img" });
	const color = name => () => css(name);

	add(caption, "span", {}, " " + says);
	const named = add(caption, "div", { class: "named-lines" });
	const name = () => {
		const labelled = made.data.datasets.filter(set => set.label);

		named.replaceChildren();
		for (const set of labelled)
			add(named, "span", { style: `color: var(${set.color})` }, set.label);
		canvas.setAttribute("aria-label", `${title} ${says}. ` +
			labelled.map(set => set.label).join("; "));
	};
	box.style.height = height + "px";
	const scale = (more, format) => ({
		type: logarithmic ? "logarithmic" : "linear",
		grid: { color: color("--edge"), borderColor: color("--edge") },
		ticks: { color: color("--faint"), callback: format, maxRotation: 0,
			 autoSkipPadding: 12, includeBounds: false, ...more.ticks },
		afterBuildTicks: logarithmic ? ticksOfTen : undefined,
		min: logarithmic ? 1 : 0,
		...more.scale,
	});
	const made = new Chart(canvas, {
		type: "line",
		data: { datasets: sets.map(s => ({
			label: s.label, color: s.color, data: s.points,
			borderColor: color(s.color),
			backgroundColor: () => css(s.color) + "40",
			// Where both lines are one, both colours are seen.
			borderWidth: s.color === "--linux" ? 5 : 2,
			order: s.color === "--linux" ? 1 : 0,
			pointRadius: s.dots ? 3 : 0, pointBackgroundColor: color(s.color),
			fill: s.fill ? "origin" : false, tension: 0, clip: 4,
		})) },
		options: {
			animation: false, responsive: true, maintainAspectRatio: false,
			parsing: false, normalized: true, events: [],
			layout: { padding: () => ({ top: 8, right: margin().right }) },
			plugins: {
				legend: { display: false }, tooltip: { enabled: false },
			},
			scales: {
				x: scale({ scale: x, ticks: { display: !noTimes } },
					 overTime ? time : short),
				y: scale({
					scale: {
						afterFit(s) { s.width = margin().left; },
					},
					ticks: { maxTicksLimit: height < 130 ? 3 : 6,
						 stepSize: step },
				}, format || short),
			},
		},
		plugins: [endLabels, cursor],
	});
	made.overTime = overTime;
	charts.push(made);
	name();
	return { made, canvas, name };
}

function redraw() {
	for (const c of charts)
		c.update("none");
}
