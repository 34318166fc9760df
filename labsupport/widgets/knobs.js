/* Turns each table that labsupport.widgets.knobs wrote into two knobs and three drawings: the map of
   rates over both knobs, the path in the valley, the distance against the steps. A plain script, so
   that it works from a file and in JupyterLab too; without it the table is what one sees. */
(function () {
  "use strict";

  const WIDTH = 300, LEFT = 46, RIGHT = 14, TOP = 8, BOTTOM = 36; // of a drawing, in its own units
  const COLUMNS = 42, ROWS = 40; // of the map
  const LOWEST = -8, HIGHEST = 2; // decades of the distance
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
  const raised = (k) => String(k).replace(/./g, (c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]);
  const power = (k) => "10" + raised(k);

  /* A number in words' company: 0.0123, or 1.2 · 10⁻⁵. */
  function number(value) {
    if (value === 0 || (value >= 0.001 && value < 10000)) return String(Number(value.toPrecision(3)));
    const exponent = Math.floor(Math.log10(value));
    return `${(value / 10 ** exponent).toFixed(1)} · 10${raised(exponent)}`;
  }

  /* The two roots of r² − (1 + β − αh) r + β: the larger size, and what an error does with it. */
  function mode(alpha, beta, h) {
    const half = (1 + beta - alpha * h) / 2, inside = half * half - beta;
    const size = inside < 0 ? Math.sqrt(beta) : Math.abs(half) + Math.sqrt(inside);
    const edge = Math.abs(inside) < 1e-9; // two roots that coincide, but for rounding
    const what = Math.abs(size - 1) < 1e-12 ? "stays as far away" : size > 1 ? "runs away" : size < 5e-4 ? "is there at once" : edge ? "is about to swing" : inside < 0 ? "swings" : half < 0 ? "jumps from side to side" : "crawls";
    return { size, what };
  }

  const slowest = (alpha, beta, hs) => Math.max(...hs.map((h) => mode(alpha, beta, h).size));

  /* The heavy ball: each direction by itself. */
  function roll(alpha, beta, given) {
    let x = given.start.slice(), v = [0, 0];
    const path = [x];
    for (let t = 0; t < given.steps; t++) {
      v = v.map((kept, i) => beta * kept + given.curvatures[i] * x[i]);
      x = x.map((at, i) => at - alpha * v[i]);
      path.push(x);
    }
    return path;
  }

  /* An empty drawing with its axes: where numbers go, and the group that lines are drawn into. */
  function drawing(parent, name, height, label, x, y) {
    const seen = { viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": label, class: name };
    const root = svg("svg", seen, parent);
    const right = WIDTH - RIGHT, bottom = height - BOTTOM;
    const X = (v) => LEFT + ((v - x.from) / (x.to - x.from)) * (right - LEFT);
    const Y = (v) => bottom - ((v - y.from) / (y.to - y.from)) * (bottom - TOP);
    const clip = `knobs-clip-${++count}`;
    svg("rect", { x: LEFT, y: TOP, width: right - LEFT, height: bottom - TOP },
      svg("clipPath", { id: clip }, svg("defs", {}, root)));
    const ground = svg("g", { "clip-path": `url(#${clip})` }, root);
    for (const v of x.ticks) {
      svg("line", { class: "knobs-grid", x1: X(v), x2: X(v), y1: TOP, y2: bottom }, root);
      svg("text", { x: X(v), y: bottom + 14, "text-anchor": "middle" }, root, x.name(v));
    }
    for (const v of y.ticks) {
      svg("line", { class: "knobs-grid", x1: LEFT, x2: right, y1: Y(v), y2: Y(v) }, root);
      svg("text", { x: LEFT - 5, y: Y(v) + 4, "text-anchor": "end" }, root, y.name(v));
    }
    svg("text", { x: (LEFT + right) / 2, y: height - 6, "text-anchor": "middle" }, root, x.label);
    svg("text", { x: 11, y: (TOP + bottom) / 2, "text-anchor": "middle",
      transform: `rotate(-90 11 ${(TOP + bottom) / 2})` }, root, y.label);
    const value = (px, py) => [
      x.from + ((px - LEFT) / (right - LEFT)) * (x.to - x.from),
      y.from + ((bottom - py) / (bottom - TOP)) * (y.to - y.from),
    ];
    return { root, ground, value, place: (p) => [X(p[0]), Y(p[1])],
      ink: svg("g", { "clip-path": `url(#${clip})` }, root) };
  }

  const spread = (from, to, n) => Array.from({ length: n + 1 }, (_, k) => from + ((to - from) * k) / n);

  /* The map: the darker, the faster; empty where the ball runs away. */
  function paint(map, longest, given) {
    const [low, high] = given.curvatures, [bestStep, bestMomentum] = given.best;
    const least = slowest(bestStep, bestMomentum, given.curvatures);
    for (let i = 0; i < COLUMNS; i++) {
      for (let j = 0; j < ROWS; j++) {
        const [x, y] = map.place([(i / COLUMNS) * longest, (j + 1) / ROWS]);
        const [right, bottom] = map.place([((i + 1) / COLUMNS) * longest, j / ROWS]);
        const size = slowest(((i + 0.5) / COLUMNS) * longest, (j + 0.5) / ROWS, given.curvatures);
        if (size >= 1) continue;
        svg("rect", { class: "knobs-cell", x: x.toFixed(2), y: y.toFixed(2), width: (right - x).toFixed(2),
          height: (bottom - y).toFixed(2), "fill-opacity": Math.min(1, (1 - size) / (1 - least)).toFixed(2) }, map.ground);
      }
    }
    const edge = spread(0, 1, 60);
    svg("polyline", { class: "knobs-edge", points: line(edge.map((b) => map.place([(2 * (1 + b)) / high, b]))) }, map.ink);
    const bend = spread(0, longest, 60).map((a) => map.place([a, (1 - Math.sqrt(a * low)) ** 2]));
    svg("polyline", { class: "knobs-bend", points: line(bend) }, map.ink);
    for (const [at, text] of [[[0.2, 0.25], "crawls"], [[0.8, 0.25], "runs away"], [[0.3, 0.93], "swings"]]) {
      const [x, y] = map.place([at[0] * longest, at[1]]);
      svg("text", { class: "knobs-region", x, y: y + 4, "text-anchor": "middle" }, map.ink, text);
    }
    const [x, y] = map.place(given.best);
    svg("path", { class: "knobs-best", d: `M${x - 6} ${y}h12m-6 -6v12` }, map.ink);
  }

  function contours(plane, given) {
    const [low, high] = given.curvatures, [x, y] = given.start;
    const height = (low * x * x + high * y * y) / 2;
    for (const share of [1, 0.5, 0.2, 0.05]) {
      const around = spread(0, 2 * Math.PI, 72).map((turn) => plane.place([
        Math.sqrt((2 * share * height) / low) * Math.cos(turn),
        Math.sqrt((2 * share * height) / high) * Math.sin(turn),
      ]));
      svg("polyline", { class: "knobs-contour", points: line(around) }, plane.ink);
    }
  }

  function build(box) {
    const table = box.querySelector("table");
    const given = JSON.parse(box.querySelector("script[type='application/json']").textContent);
    const [low, high] = given.curvatures, longest = 4.2 / high;
    const id = `knobs-${++count}`;
    let alpha = 1 / high, beta = 0;

    const view = html("div", { class: "knobs-view" });
    const fields = html("div", { class: "knobs-fields" }, view);
    function knob(label, name, to, step) {
      const field = html("p", { class: "knobs-field" }, fields);
      html("label", { for: `${id}-${name}` }, field, label);
      const input = html("input", { id: `${id}-${name}`, type: "range", min: step, max: to, step }, field);
      return { input, value: html("span", { class: "knobs-value", "aria-hidden": "true" }, field) };
    }
    const step = knob("Step α", "step", longest.toPrecision(3), Number((longest / 84).toPrecision(2)));
    const momentum = knob("Momentum β", "momentum", 0.99, 0.01);
    momentum.input.min = 0;
    const button = html("button", { type: "button" }, fields, "Best point");
    const said = html("output", { for: `${id}-step ${id}-momentum`, "aria-live": "polite" }, view);

    const drawings = html("div", { class: "knobs-drawings" }, view);
    const map = drawing(drawings, "knobs-map", 330,
      "Map over both knobs: the darker, the faster. A cross marks the best point, a ring the knobs.",
      { label: "step α", from: 0, to: longest, ticks: spread(0, 4 / high, 4), name: (v) => String(Number(v.toPrecision(2))) },
      { label: "momentum β", from: 0, to: 1, ticks: [0, 0.2, 0.4, 0.6, 0.8, 1], name: String });
    const right = html("div", { class: "knobs-pair" }, drawings);
    const reach = given.start.map((v, i) => Math.abs(v) * (i ? 2.2 : 1.6));
    const plane = drawing(right, "knobs-plane", 150,
      "The path of the ball over lines of equal loss; across the valley the picture is stretched.",
      { label: "along the valley", from: -reach[0], to: reach[0], ticks: [-1, 0, 1].map((k) => k * Math.abs(given.start[0])), name: String },
      { label: "across", from: -reach[1], to: reach[1], ticks: [-1, 0, 1].map((k) => k * Math.abs(given.start[1])), name: String });
    const curve = drawing(right, "knobs-curve", 180,
      "The distance from the minimum against the steps, on a logarithmic scale.",
      { label: "steps taken", from: 0, to: given.steps, ticks: spread(0, given.steps, 4).map(Math.round), name: String },
      { label: "distance", from: LOWEST, to: HIGHEST, ticks: [-8, -6, -4, -2, 0, 2], name: power });
    paint(map, longest, given);
    contours(plane, given);
    const path = svg("g", {}, plane.ink), fall = svg("g", {}, curve.ink);
    const here = svg("circle", { class: "knobs-here", r: 6 }, map.ink);

    function trace(group, points, dots) {
      group.replaceChildren();
      svg("polyline", { class: "knobs-path", points: line(points) }, group);
      if (dots) for (const [cx, cy] of points) svg("circle", { class: "knobs-point", cx: cx.toFixed(1), cy: cy.toFixed(1), r: 1.8 }, group);
    }

    function show() {
      const a = Number(alpha.toPrecision(3)), b = Number(beta.toPrecision(3));
      step.value.textContent = a;
      momentum.value.textContent = b;
      step.input.setAttribute("aria-valuetext", String(a));
      const along = mode(alpha, beta, low), across = mode(alpha, beta, high);
      const points = roll(alpha, beta, given);
      const distances = points.map((p) => Math.hypot(...p));
      said.textContent = `Along the valley the ball ${along.what} (factor ${along.size.toFixed(3)} a step); ` +
        `across it ${across.what} (${across.size.toFixed(3)}). ` +
        `After ${given.steps} steps its distance from the minimum is ${number(distances[given.steps])}.`;
      const lost = points.findIndex((p) => p.some((v, i) => Math.abs(v) > 20 * reach[i]));
      trace(path, (lost < 0 ? points : points.slice(0, lost + 1)).map(plane.place), true);
      trace(fall, distances.map((d, n) => curve.place([n, Math.min(Math.max(Math.log10(d), LOWEST - 9), HIGHEST + 9)])), false);
      const [cx, cy] = map.place([alpha, beta]);
      here.setAttribute("cx", cx.toFixed(1));
      here.setAttribute("cy", cy.toFixed(1));
    }

    function turn(to) {
      [alpha, beta] = to;
      step.input.value = alpha;
      momentum.input.value = beta;
      show();
    }

    function pointed(event) {
      const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(map.root.getScreenCTM().inverse());
      const [a, b] = map.value(at.x, at.y);
      step.input.value = a; // the knobs round, and keep within their ends
      momentum.input.value = b;
      turn([Number(step.input.value), Number(momentum.input.value)]);
    }

    step.input.addEventListener("input", () => { alpha = Number(step.input.value); show(); });
    momentum.input.addEventListener("input", () => { beta = Number(momentum.input.value); show(); });
    button.addEventListener("click", () => turn(given.best));
    map.root.addEventListener("click", pointed);
    map.root.addEventListener("pointermove", (event) => {
      if (event.pointerType === "mouse" && event.buttons === 1) pointed(event);
    });
    map.root.addEventListener("pointerdown", (event) => event.preventDefault()); // selects no text
    view.addEventListener("keydown", (event) => event.stopPropagation()); // the book turns no page

    const folded = html("details", {});
    html("summary", {}, folded, "Rates as a table");
    box.insertBefore(view, table);
    box.insertBefore(folded, table);
    folded.appendChild(table);
    turn([alpha, beta]);
  }

  function start() {
    document.querySelectorAll(".knobs:not([data-ready])").forEach((box) => {
      box.setAttribute("data-ready", "");
      build(box);
    });
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
