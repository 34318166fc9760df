/* The drawings of the playground: the network, the chosen unit in numbers, the plane of the inputs
   and the loss. Each takes the element to stand in, and gives functions that draw a run of
   playground-core.js; which one, and when, says playground.js. A plain script. */
(function () {
  "use strict";

  const WIDTH = 360, RADIUS = 18; // of the network's drawing and of a unit, in its own units
  const GRID = 48; // points to a side at which the plane is coloured
  const PLANE = { left: 44, right: 292, top: 8, bottom: 256, width: 300, height: 290 };
  const CURVE = { left: 44, right: 292, top: 8, bottom: 150, width: 300, height: 184 };
  const SHAPES = ["svg", "g", "line", "circle", "rect", "path", "polyline", "text"];

  const WEIGHTS = "orange above 0, blue and dashed below, grey dots at 0";
  const SLOPES = "green above 0, purple and dashed below, grey dots at 0";

  function element(name, attributes, parent, text) {
    const made = SHAPES.includes(name)
      ? document.createElementNS("http://www.w3.org/2000/svg", name)
      : document.createElement(name);
    for (const key in attributes) made.setAttribute(key, attributes[key]);
    if (text !== undefined) made.textContent = text;
    if (parent) parent.appendChild(made);
    return made;
  }

  function write(target, text) {
    if (target.textContent !== text) target.textContent = text;
  }

  // Numbers as text

  const signs = (text) => text.replace(/-/g, "−").replace("e+", "e");

  function number(v, digits = 4) {
    if (!Number.isFinite(v)) return "–";
    const size = Math.abs(v);
    const powers = (v !== 0 && size < 1e-3) || size >= 1e5;
    return signs(powers ? v.toExponential(digits - 2) : String(Number(v.toPrecision(digits))));
  }

  /* Short enough for the circle of a unit. */
  function short(v) {
    const size = Math.abs(v);
    if (Number.isInteger(v) && size < 100) return signs(String(v));
    if (size < 0.00995 || size >= 9999.5) return signs(v.toExponential(0));
    return signs(v.toFixed(size >= 9.95 ? 0 : size >= 0.995 ? 1 : 2));
  }

  /* The next of 1, 2, 5, 10, ... */
  function nice(v) {
    const power = 10 ** Math.floor(Math.log10(v));
    return [1, 2, 5, 10].map((k) => k * power).find((k) => k >= v * (1 - 1e-9));
  }

  // Units are named by their layer (inputs 0) and by where they stand in it

  function title(run, { layer, at }) {
    if (layer === 0) return `input ${at + 1}`;
    return layer === run.layers.length ? "output" : `layer ${layer}, unit ${at + 1}`;
  }

  /* What a unit shows of a sample: its delta in the backward view, else its activation. */
  function shown(run, view, sample, { layer, at }) {
    const n = run.setup.sizes[layer];
    if (layer && view === "backward") return run.D[layer - 1][sample * n + at];
    if (layer === run.layers.length) return window.Playground.probability(run, sample);
    return run.A[layer][sample * n + at];
  }

  // The network

  function network(parent, choose) {
    const svg = element("svg", { class: "playground-network", role: "radiogroup",
      "aria-label": "The units of the network" }, parent);
    const key = element("p", { class: "playground-key" }, parent);
    let lines = [], units = [];

    /* All lines and units of a network, without their values. */
    function lay(run) {
      const { sizes } = run.setup, last = sizes.length - 1, most = Math.max(...sizes);
      const gap = most > 5 ? 46 : 66, height = Math.max(most, 3) * gap;
      const place = (l, k) => [40 + (l * (WIDTH - 66)) / last,
        height / 2 + (k - (sizes[l] - 1) / 2) * gap];
      svg.setAttribute("viewBox", `0 0 ${WIDTH} ${height}`);
      svg.replaceChildren();
      lines = [];
      units = [];
      run.layers.forEach(({ nIn, nOut, w }, l) => {
        for (let i = 0; i < nIn; i++) for (let j = 0; j < nOut; j++) {
          const [x1, y1] = place(l, i), [x2, y2] = place(l + 1, j);
          const line = element("line", { x1, y1, x2, y2 }, svg);
          lines.push({ line, w: w + i * nOut + j, layer: l + 1, at: j });
        }
      });
      sizes.forEach((n, layer) => {
        for (let at = 0; at < n; at++) units.push(layUnit({ layer, at }, place(layer, at), sizes));
      });
    }

    function layUnit({ layer, at }, [x, y], sizes) {
      const group = element("g", { role: "radio", transform: `translate(${x} ${y})` }, svg);
      element("circle", { r: 22, class: "playground-reach" }, group); // a finger finds it
      element("circle", { r: RADIUS, class: "playground-circle" }, group);
      const tint = element("circle", { r: RADIUS, class: "playground-tint" }, group);
      const label = element("text", { y: 3.5 }, group);
      if (layer === 0) {
        const spot = { class: "playground-input", x: -RADIUS - 8, y: 4 };
        element("text", spot, group, `x${"₁₂"[at]}`);
      }
      const ways = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0],
        " ": [0, 0] };
      group.addEventListener("click", () => choose({ layer, at }));
      group.addEventListener("keydown", (event) => {
        const way = ways[event.key];
        if (!way || event.altKey || event.ctrlKey || event.metaKey) return;
        event.preventDefault(); // the page does not scroll
        event.stopPropagation(); // and the book does not turn a page
        const l = Math.min(Math.max(layer + way[0], 0), sizes.length - 1);
        choose({ layer: l, at: Math.min(Math.max(at + way[1], 0), sizes[l] - 1) });
        units.find((it) => it.layer === l && it.group.tabIndex === 0).group.focus();
      });
      return { group, tint, label, layer, at };
    }

    /* view is "start" (activations not known), "forward" or "backward". While it trains, `busy`,
       nothing is renamed: names are for those who listen. */
    function draw(run, view, sample, unit, busy) {
      const back = view === "backward", values = back ? run.gradient : run.here;
      const here = (it) => it.layer === unit.layer && it.at === unit.at;
      const most = Math.max(...lines.map(({ w }) => Math.abs(values[w])), 1e-300);
      for (const it of lines) {
        const v = values[it.w], way = v > 0 ? "up" : v < 0 ? "down" : "none";
        const kind = `${back ? "slope" : "weight"}-${way}`;
        it.line.setAttribute("class", `playground-${kind}${here(it) ? " playground-near" : ""}`);
        it.line.setAttribute("stroke-width", (0.5 + (4 * Math.abs(v)) / most).toFixed(2));
      }
      const sizes = units.map((it) => (it.layer ? Math.abs(shown(run, view, sample, it)) : 0));
      const deepest = Math.max(...sizes, 1e-300);
      for (const it of units) {
        const hollow = view === "start" && it.layer > 0, gone = window.Playground.dead(run, it);
        const v = shown(run, view, sample, it), tone = hollow ? 0 : toneOf(run, back, it, v, deepest);
        const kind = `${back ? "delta" : "value"}-${tone > 0 ? "up" : "down"}`;
        const classes = ["playground-node", `playground-${kind}`];
        if (here(it)) classes.push("playground-chosen");
        if (gone) classes.push("playground-dead");
        it.group.setAttribute("class", classes.join(" "));
        it.group.setAttribute("aria-checked", String(here(it)));
        it.group.setAttribute("tabindex", here(it) ? "0" : "-1");
        it.tint.setAttribute("fill-opacity", (0.45 * Math.abs(tone)).toFixed(2));
        write(it.label, hollow ? "" : short(v));
        if (busy) continue;
        const what = back && it.layer ? "delta" : it.layer ? "activation" : "value";
        it.group.setAttribute("aria-label", title(run, it) +
          (hollow ? ", not computed yet" : `, ${what} ${number(v)}`) + (gone ? ", dead" : ""));
      }
      write(key, {
        start: `Updated. Lines: weights, ${WEIGHTS}. Units: not computed yet.`,
        forward: `Forward. Lines: weights, ${WEIGHTS}. Units: activations of sample ${sample + 1}.`,
        backward: `Backward. Lines: gradient over all samples, ${SLOPES}. ` +
          `Units: delta of sample ${sample + 1}.`,
      }[view]);
    }

    /* How strongly a unit is coloured, from -1 to 1. */
    function toneOf(run, back, { layer }, v, deepest) {
      if (back) return layer ? v / deepest : 0;
      const share = layer === run.layers.length || (layer && run.hidden === "sigmoid");
      if (share) return 2 * v - 1;
      return layer && run.hidden === "tanh" ? v : v / (1 + Math.abs(v));
    }

    return { lay, draw };
  }

  // The chosen unit

  function numbers(parent) {
    const table = element("table", { class: "playground-unit" }, parent);

    function lay(rows) {
      table.dataset.rows = rows.length;
      table.replaceChildren();
      element("caption", {}, table);
      if (rows.length) {
        const head = element("tr", {}, element("thead", {}, table));
        for (const name of ["from", "gives", "weight", "gradient"]) {
          element("th", { scope: "col" }, head, name);
        }
      }
      const body = element("tbody", {}, table);
      for (const row of rows) {
        const tr = element("tr", {}, body);
        row.forEach((_, k) => element(k ? "td" : "th", k ? {} : { scope: "row" }, tr));
      }
    }

    function draw(run, view, sample, unit) {
      const { layer, at } = unit, known = view !== "start", rows = [];
      const n = run.setup.sizes[layer], name = title(run, unit);
      let caption = name[0].toUpperCase() + name.slice(1);
      if (layer === 0) caption += `: ${number(run.A[0][sample * n + at])}`;
      else {
        const { nIn, nOut, w, b } = run.layers[layer - 1], k = sample * n + at;
        const slope = (p) => number(run.known ? run.gradient[p] : NaN);
        const out = layer === run.layers.length ? "p" : "a";
        if (known) caption += `: z = ${number(run.Z[layer - 1][k])}, ` +
          `${out} = ${number(shown(run, "forward", sample, unit))}`;
        if (view === "backward") caption += `, δ = ${number(run.D[layer - 1][k])}`;
        caption += window.Playground.dead(run, unit)
          ? "; dead: no gradient passes on any sample." : ".";
        for (let i = 0; i < nIn; i++) {
          const p = w + i * nOut + at, a = run.A[layer - 1][sample * nIn + i];
          rows.push([title(run, { layer: layer - 1, at: i }), number(known || layer === 1 ? a : NaN),
            number(run.here[p]), slope(p)]);
        }
        rows.push(["bias", "1", number(run.here[b + at]), slope(b + at)]);
      }
      if (table.dataset.rows !== String(rows.length)) lay(rows);
      write(table.caption, caption);
      rows.forEach((row, r) => {
        row.forEach((text, k) => write(table.tBodies[0].rows[r].cells[k], text));
      });
    }

    return { draw };
  }

  // The plane

  /* Colours of the probabilities 0 to 1, from the style sheet. */
  function palette(box) {
    const style = window.getComputedStyle(box), context = element("canvas").getContext("2d");
    const [low, middle, high] = ["low", "mid", "high"].map((name) => {
      // However a style sheet writes a colour (the book's build shortens #ffffff), this is #rrggbb.
      context.fillStyle = style.getPropertyValue(`--playground-${name}`).trim();
      const hex = context.fillStyle;
      return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
    });
    return Array.from({ length: 256 }, (_, k) => {
      const t = Math.abs(k - 127.5) / 127.5, end = k < 128 ? low : high;
      return [...middle.map((m, c) => Math.round(m + t * (end[c] - m))), 255];
    });
  }

  function plane(parent, look) {
    const square = element("div", { class: "playground-square" }, parent);
    const canvas = element("canvas", { width: GRID, height: GRID, role: "img" }, square);
    const svg = element("svg", { viewBox: `0 0 ${PLANE.width} ${PLANE.height}`,
      "aria-hidden": "true" }, square);
    const wide = PLANE.right - PLANE.left, high = PLANE.bottom - PLANE.top;
    Object.assign(canvas.style, {
      left: `${(100 * PLANE.left) / PLANE.width}%`, width: `${(100 * wide) / PLANE.width}%`,
      top: `${(100 * PLANE.top) / PLANE.height}%`, height: `${(100 * high) / PLANE.height}%`,
    });
    let colours, half, ring, room, span, X;
    const across = (x) => PLANE.left + ((x - span[0][0]) / (span[0][1] - span[0][0])) * wide;
    const up = (y) => PLANE.bottom - ((y - span[1][0]) / (span[1][1] - span[1][0])) * high;

    /* Axes and samples, and room for the points at the middles of the squares to colour. */
    function lay(run, samples) {
      X = samples;
      span = [0, 1].map((k) => {
        const column = X.map((x) => x[k]);
        return [Math.min(...column) - 0.5, Math.max(...column) + 0.5];
      });
      const middle = ([from, to], k) => from + ((k + 0.5) / GRID) * (to - from), points = [];
      for (let r = GRID - 1; r >= 0; r--) {
        for (let c = 0; c < GRID; c++) points.push([middle(span[0], c), middle(span[1], r)]);
      }
      room = window.Playground.room(run.setup, points);

      svg.replaceChildren();
      span.forEach(([from, to], k) => {
        const by = nice((to - from) / 5);
        for (let v = Math.ceil(from / by) * by; v <= to; v += by) {
          const spot = k ? { x: PLANE.left - 5, y: up(v) + 4, "text-anchor": "end" }
            : { x: across(v), y: PLANE.bottom + 15, "text-anchor": "middle" };
          element("text", spot, svg, number(Math.round(v / by) * by, 2));
        }
      });
      const below = { x: PLANE.left + wide / 2, y: PLANE.height - 4, "text-anchor": "middle" };
      element("text", below, svg, "x₁");
      element("text", { x: 4, y: PLANE.top + high / 2 + 4 }, svg, "x₂");
      half = element("path", { class: "playground-half" }, svg);
      const size = X.length < 10 ? 7 : 2.8;
      X.forEach((x, k) => {
        const cx = across(x[0]), cy = up(x[1]), side = 1.8 * size;
        if (run.Y[k]) element("rect", { class: "playground-one", x: cx - side / 2,
          y: cy - side / 2, width: side, height: side }, svg);
        else element("circle", { class: "playground-zero", cx, cy, r: size }, svg);
      });
      ring = element("circle", { class: "playground-ring", r: size + 4 }, svg);
    }

    function draw(run, sample) {
      const P = window.Playground.predict(room, run.here), context = canvas.getContext("2d");
      const image = context.createImageData(GRID, GRID);
      colours = colours || palette(parent);
      for (let k = 0; k < P.length; k++) {
        image.data.set(colours[Math.min(255, Math.floor(P[k] * 256))], 4 * k);
      }
      context.putImageData(image, 0, 0);
      half.setAttribute("d", border(P, room.Z[room.Z.length - 1]));
      ring.setAttribute("cx", across(X[sample][0]));
      ring.setAttribute("cy", up(X[sample][1]));
    }

    /* The line where the probability is 0.5, square by square, by linear interpolation of Z, the
       logits: these are no steps where the network is sure. */
    function border(P, Z) {
      let least = 1, most = 0, d = "";
      for (const p of P) {
        least = Math.min(least, p);
        most = Math.max(most, p);
      }
      if (!(least < 0.499 && most > 0.501)) return ""; // else the line would be rounding noise
      for (let r = 0; r + 1 < GRID; r++) for (let c = 0; c + 1 < GRID; c++) {
        const k = r * GRID + c, cuts = [];
        const corners = [Z[k], Z[k + 1], Z[k + GRID + 1], Z[k + GRID]];
        for (let e = 0; e < 4; e++) {
          const p = corners[e], q = corners[(e + 1) % 4], t = p / (p - q);
          if (p > 0 === q > 0) continue;
          const [x, y] = [[t, 0], [1, t], [1 - t, 1], [0, 1 - t]][e];
          cuts.push((PLANE.left + ((c + 0.5 + x) / GRID) * wide).toFixed(1) + " " +
            (PLANE.top + ((r + 0.5 + y) / GRID) * high).toFixed(1));
        }
        for (let e = 0; e + 1 < cuts.length; e += 2) d += `M${cuts[e]}L${cuts[e + 1]}`;
      }
      return d;
    }

    svg.addEventListener("click", (event) => {
      const frame = svg.getBoundingClientRect(), scale = PLANE.width / frame.width;
      const x = (event.clientX - frame.left) * scale, y = (event.clientY - frame.top) * scale;
      const far = X.map((p) => Math.hypot(across(p[0]) - x, up(p[1]) - y));
      look(far.indexOf(Math.min(...far)));
    });

    return { lay, draw, label: (text) => canvas.setAttribute("aria-label", text),
      repaint: () => { colours = null; } };
  }

  // The loss

  function curve(parent) {
    const svg = element("svg", { class: "playground-curve", role: "img",
      viewBox: `0 0 ${CURVE.width} ${CURVE.height}` }, parent);
    const { left, right, top, bottom, height } = CURVE, lowest = 1e-12;
    let path, dot;

    function lay(loss, log, low, high, end, X, Y) {
      svg.replaceChildren();
      const by = log ? Math.ceil((high - low) / 5) : high / (String(high).includes("5") ? 5 : 4);
      for (let v = low; v <= high + by / 1e6; v += by) {
        const y = Y(log ? 10 ** v : v);
        element("line", { class: "playground-grid", x1: left, x2: right, y1: y, y2: y }, svg);
        element("text", { x: left - 5, y: y + 4, "text-anchor": "end" }, svg,
          log ? signs(`1e${v}`) : number(v, 3));
      }
      for (const v of [0, end / 2, end]) {
        const anchor = v < end ? "middle" : "end";
        element("text", { x: X(v), y: bottom + 15, "text-anchor": anchor }, svg, String(v));
      }
      const below = { x: (left + right) / 2, y: height - 4, "text-anchor": "middle" };
      const beside = { "text-anchor": "middle", x: 12, y: (top + bottom) / 2,
        transform: `rotate(-90 12 ${(top + bottom) / 2})` };
      element("text", below, svg, "epoch");
      element("text", beside, svg, "loss");
      const chance = loss === "mse" ? [0.25, "chance, ¼"] : [Math.LN2, "chance, ln 2"];
      const y = Y(chance[0]);
      if (y > top + 10 && y <= bottom) {
        element("line", { class: "playground-chance", x1: left, x2: right, y1: y, y2: y }, svg);
        element("text", { x: right, y: y - 4, "text-anchor": "end" }, svg, chance[1]);
      }
      path = element("polyline", { class: "playground-path" }, svg);
      dot = element("circle", { class: "playground-dot", r: 3 }, svg);
    }

    /* history holds some epochs and their losses; the present one comes on top. The axes jump from
       one round number to the next, so that they stand still most of the time. */
    function draw(run, history, log) {
      const xs = [...history.epochs, run.epoch], ys = [...history.losses, run.loss];
      const end = nice(Math.max(run.epoch, 10)), most = Math.max(...ys, lowest);
      let low = 0, high = nice(most);
      if (log) {
        low = Math.floor(Math.log10(Math.max(Math.min(...ys), lowest)));
        high = Math.max(Math.ceil(Math.log10(most)), low + 1);
      }
      const scale = (v) => (log ? Math.log10(Math.max(v, lowest)) : v);
      const X = (v) => left + (v / end) * (right - left);
      const Y = (v) => bottom - ((scale(v) - low) / (high - low)) * (bottom - top);
      const axes = `${run.setup.loss} ${log} ${low} ${high} ${end}`;
      if (svg.dataset.axes !== axes) lay(run.setup.loss, log, low, high, end, X, Y);
      svg.dataset.axes = axes;
      const points = xs.map((x, k) => `${X(x).toFixed(1)},${Y(ys[k]).toFixed(1)}`);
      path.setAttribute("points", points.join(" "));
      dot.setAttribute("cx", X(run.epoch));
      dot.setAttribute("cy", Y(run.loss));
    }

    return { draw, label: (text) => svg.setAttribute("aria-label", text) };
  }

  window.Playground = Object.assign(window.Playground || {}, {
    element, write, number, network, numbers, plane, curve,
  });
})();
