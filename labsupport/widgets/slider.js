/* Turns each table that labsupport.slider wrote into a slider with two drawings: the path on the
   plane and the loss against the steps. The facts in words stay in the table, and are read from it.
   A plain script, so that it works from a file too; without it the table is what one sees. */
(function () {
  "use strict";

  const SIZE = 300, LEFT = 44, TOP = 10, BOTTOM = 40, RIGHT = 10; // of a drawing, in its own units
  const LOWEST = -6, HIGHEST = 3; // decades of the loss
  let count = 0;

  function svg(name, attributes, parent, text) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const key in attributes) element.setAttribute(key, attributes[key]);
    if (text !== undefined) element.textContent = text;
    if (parent) parent.appendChild(element);
    return element;
  }

  function html(name, attributes, parent, text) {
    const element = document.createElement(name);
    for (const key in attributes) element.setAttribute(key, attributes[key]);
    if (text !== undefined) element.textContent = text;
    if (parent) parent.appendChild(element);
    return element;
  }

  const line = (points) => points.map((p) => p.map((v) => v.toFixed(1)).join(",")).join(" ");
  const power = (k) => "10" + String(k).replace(/./g, (c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]);

  /* An empty drawing with its axes: where numbers go, and the group that lines are drawn into. */
  function drawing(parent, label, x, y) {
    const seen = { viewBox: `0 0 ${SIZE} ${SIZE}`, role: "img", "aria-label": label };
    const root = svg("svg", seen, parent);
    const right = SIZE - RIGHT, bottom = SIZE - BOTTOM;
    const X = (v) => LEFT + ((v - x.from) / (x.to - x.from)) * (right - LEFT);
    const Y = (v) => bottom - ((v - y.from) / (y.to - y.from)) * (bottom - TOP);
    const clip = `lab-slider-clip-${++count}`;
    svg("rect", { x: LEFT, y: TOP, width: right - LEFT, height: bottom - TOP },
      svg("clipPath", { id: clip }, svg("defs", {}, root)));
    for (const v of x.ticks) {
      svg("line", { class: "lab-slider-grid", x1: X(v), x2: X(v), y1: TOP, y2: bottom }, root);
      svg("text", { x: X(v), y: bottom + 16, "text-anchor": "middle" }, root, x.name(v));
    }
    for (const v of y.ticks) {
      svg("line", { class: "lab-slider-grid", x1: LEFT, x2: right, y1: Y(v), y2: Y(v) }, root);
      svg("text", { x: LEFT - 5, y: Y(v) + 4, "text-anchor": "end" }, root, y.name(v));
    }
    svg("text", { x: (LEFT + right) / 2, y: SIZE - 6, "text-anchor": "middle" }, root, x.label);
    svg("text", { x: 12, y: (TOP + bottom) / 2, "text-anchor": "middle",
      transform: `rotate(-90 12 ${(TOP + bottom) / 2})` }, root, y.label);
    return { place: (p) => [X(p[0]), Y(p[1])], ink: svg("g", { "clip-path": `url(#${clip})` }, root) };
  }

  function mark(at, shape, parent) {
    const [x, y] = at;
    const outline = { start: `M${x - 5} ${y - 5}h10v10h-10z`, minimum: `M${x - 6} ${y - 6}l12 12m0-12l-12 12` };
    svg("path", { class: `lab-slider-${shape}`, d: outline[shape] }, parent);
  }

  /* An axis of the plane: ticks at the even numbers, places relative to the minimum. */
  function axis(label, middle, reach) {
    const ticks = [];
    for (let v = 2 * Math.ceil((middle - reach) / 2); v <= middle + reach; v += 2) ticks.push(v - middle);
    return { label, from: -reach, to: reach, ticks, name: (v) => String(Math.round(v + middle)) };
  }

  function build(box) {
    const table = box.querySelector("table");
    const data = JSON.parse(box.querySelector("script[type='application/json']").textContent);
    const rows = Array.from(table.tBodies[0].rows);
    const cells = rows.map((row) => Array.from(row.cells, (cell) => cell.textContent));
    const steps = data.walks[0].gap.length - 1;
    const id = `lab-slider-${++count}`;

    const view = html("div", { class: "lab-slider-view", role: "group", "aria-label": data.title });
    const field = html("p", { class: "lab-slider-field" }, view);
    html("label", { for: id }, field, "Step α");
    const input = html("input", { id, type: "range", min: 0, max: rows.length - 1, step: 1 }, field);
    const value = html("span", { class: "lab-slider-value", "aria-hidden": "true" }, field);
    const said = html("output", { for: id, "aria-live": "polite" }, view);
    const pair = html("div", { class: "lab-slider-pair" }, view);

    const axes = data.names.map((name, i) => axis(name, data.minimum[i], data.reach));
    const plane = drawing(pair, "The points of the descent on the plane, over lines of equal loss.", ...axes);
    for (const contour of data.contours) {
      svg("polyline", { class: "lab-slider-contour", points: line(contour.map(plane.place)) }, plane.ink);
    }
    mark(plane.place([0, 0]), "minimum", plane.ink);
    mark(plane.place(data.walks[0].path[0]), "start", plane.ink);
    const decades = [];
    for (let k = LOWEST; k <= HIGHEST; k++) decades.push(k);
    const quarters = [0, 1, 2, 3, 4].map((k) => Math.round((k * steps) / 4));
    const losses = drawing(pair, "The loss above its minimum against the steps, on a logarithmic scale.",
      { label: "steps taken", from: 0, to: steps, ticks: quarters, name: String },
      { label: "loss above its minimum", from: LOWEST, to: HIGHEST, ticks: decades, name: power });
    const path = svg("g", {}, plane.ink), curve = svg("g", {}, losses.ink);

    function trace(group, points) {
      group.replaceChildren();
      svg("polyline", { class: "lab-slider-path", points: line(points) }, group);
      for (const [cx, cy] of points) svg("circle", { class: "lab-slider-point", cx, cy, r: 2.6 }, group);
    }

    function show() {
      const k = Number(input.value), [step, share, ten, all, outcome] = cells[k];
      value.textContent = `${step} = ${share} × 2/L`;
      input.setAttribute("aria-valuetext", `${step}, ${share} of 2/L`);
      said.textContent = `With a step of ${step}, ${share} of 2/L, the loss ${outcome}. ` +
        `Above its minimum after ${data.marks[0]} steps: ${ten}; after ${data.marks[1]}: ${all}.`;
      trace(path, data.walks[k].path.map(plane.place));
      trace(curve, data.walks[k].gap.map((v, n) => losses.place([n, v])));
      rows.forEach((row, n) => row.classList.toggle("lab-slider-here", n === k));
    }

    input.value = Math.floor(rows.length / 3);
    input.addEventListener("input", show);
    const folded = html("details", {});
    html("summary", {}, folded, "The same as a table");
    box.insertBefore(view, table);
    box.insertBefore(folded, table);
    folded.appendChild(table);
    show();
  }

  function start() {
    document.querySelectorAll(".lab-slider:not([data-ready])").forEach((box) => {
      box.setAttribute("data-ready", "");
      build(box);
    });
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
