/* The arithmetic of the playground: one small network, trained by full-batch gradient descent.
   The formulas and their order are those of labsupport (network, losses, descent), in the same
   float64; tests/test_playground_browser.py compares the two. Data, starts and constants come from
   playground.py beside it. No page is touched here: playground.js draws. A plain script. */
(function () {
  "use strict";

  // Starts. mulberry32 gives the same numbers in every language, so a seed means the same start in
  // Python. Twelve uniform numbers less six are close to normal and, unlike logarithm and cosine,
  // the same to the last bit everywhere.

  function generator(seed) {
    let state = seed | 0;
    return function () {
      state = (state + 0x6d2b79f5) | 0;
      let t = Math.imul(state ^ (state >>> 15), state | 1);
      t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
  }

  function bell(next) {
    let sum = 0;
    for (let k = 0; k < 12; k++) sum += next();
    return sum - 6;
  }

  /* W1, b1, W2, b2, ... one after the other, as labsupport.network.Parameters keeps them. `how` is
     the recipe of an initialiser. */
  function start(sizes, how, seed) {
    const next = generator(seed), vector = [];
    for (let l = 1; l < sizes.length; l++) {
      const nIn = sizes[l - 1], nOut = sizes[l];
      const share = how.gain / { one: 1, in: nIn, both: nIn + nOut }[how.fan];
      const draw = {
        normal: () => Math.sqrt(share) * bell(next),
        uniform: () => Math.sqrt(share) * (2 * next() - 1),
        constant: () => share,
      }[how.kind];
      for (let k = 0; k < nIn * nOut; k++) vector.push(draw());
      for (let k = 0; k < nOut; k++) vector.push(how.biases ? draw() : 0);
    }
    return Float64Array.from(vector);
  }

  // Activations, entry by entry

  function sigmoid(z) {
    if (z >= 0) return 1 / (1 + Math.exp(-z));
    const e = Math.exp(z);
    return e / (1 + e);
  }

  function activate(name, slope, Z, A) {
    const n = Z.length;
    if (name === "sigmoid") for (let k = 0; k < n; k++) A[k] = sigmoid(Z[k]);
    else if (name === "tanh") for (let k = 0; k < n; k++) A[k] = Math.tanh(Z[k]);
    else if (name === "relu") for (let k = 0; k < n; k++) A[k] = Math.max(Z[k], 0);
    else if (name === "leaky_relu") for (let k = 0; k < n; k++) A[k] = Math.max(Z[k], slope * Z[k]);
    else A.set(Z);
  }

  /* Multiply D by g'(Z). ReLU'(0) = 0. */
  function differentiate(name, slope, Z, A, D) {
    const n = Z.length;
    if (name === "sigmoid") for (let k = 0; k < n; k++) D[k] *= A[k] * (1 - A[k]);
    else if (name === "tanh") for (let k = 0; k < n; k++) D[k] *= 1 - A[k] * A[k];
    else if (name === "relu") for (let k = 0; k < n; k++) D[k] *= Z[k] > 0 ? 1 : 0;
    else if (name === "leaky_relu") for (let k = 0; k < n; k++) D[k] *= Z[k] > 0 ? 1 : slope;
  }

  // Losses: the mean over the samples; the 1/m is in the output delta and nowhere else

  function lossOf(name, A, Y) {
    const m = Y.length;
    let sum = 0;
    for (let k = 0; k < m; k++) {
      const a = A[k], y = Y[k];
      if (name === "mse") sum += (a - y) * (a - y);
      else if (name === "bce")
        sum += -y * Math.max(Math.log(a), -100) - (1 - y) * Math.max(Math.log1p(-a), -100);
      else sum += Math.max(a, 0) - a * y + Math.log1p(Math.exp(-Math.abs(a)));
    }
    return sum / m;
  }

  function outputDelta(name, A, Y, D) {
    const m = Y.length;
    for (let k = 0; k < m; k++) {
      const a = A[k], y = Y[k];
      if (name === "mse") D[k] = (2 / m) * (a - y) * (a * (1 - a));
      else if (name === "bce") D[k] = (a - y) / m;
      else D[k] = (sigmoid(a) - y) / m;
    }
  }

  /* Room for the passes of a network over some points, rows of X. */
  function room(setup, X) {
    const { sizes } = setup, m = X.length, layers = [];
    let at = 0;
    for (let l = 1; l < sizes.length; l++) {
      const nIn = sizes[l - 1], nOut = sizes[l];
      layers.push({ nIn, nOut, w: at, b: at + nIn * nOut });
      at += (nIn + 1) * nOut;
    }
    const table = (n) => new Float64Array(m * n);
    return {
      m, layers, count: at,
      hidden: setup.activation,
      output: setup.loss === "bce_with_logits" ? "identity" : "sigmoid",
      slope: setup.slope,
      Z: layers.map((layer) => table(layer.nOut)),
      A: [Float64Array.from(X.flat()), ...layers.map((layer) => table(layer.nOut))],
      D: layers.map((layer) => table(layer.nOut)),
    };
  }

  function forward(room, v) {
    const last = room.layers.length - 1;
    for (let l = 0; l <= last; l++) {
      const { nIn, nOut, w, b } = room.layers[l], A = room.A[l], Z = room.Z[l];
      for (let r = 0; r < room.m; r++) {
        for (let j = 0; j < nOut; j++) {
          let sum = 0;
          for (let i = 0; i < nIn; i++) sum += A[r * nIn + i] * v[w + i * nOut + j];
          Z[r * nOut + j] = sum + v[b + j];
        }
      }
      activate(l === last ? room.output : room.hidden, room.slope, Z, room.A[l + 1]);
    }
    return room.A[last + 1];
  }

  /* Probabilities of class 1 at the points of a room. */
  function predict(room, v) {
    const out = forward(room, v);
    if (room.output === "identity") for (let k = 0; k < out.length; k++) out[k] = sigmoid(out[k]);
    return out;
  }

  // One run

  /* setup: sizes, activation, loss, rule ("fixed", "backtracking", "warm"), rate, slope, X, Y,
     armijo (c, shrink, growth, smallest, slack) and start, the vector of parameters. */
  function create(setup) {
    const run = room(setup, setup.X);
    Object.assign(run, {
      setup, Y: Float64Array.from(setup.Y.flat()),
      here: Float64Array.from(setup.start), other: new Float64Array(run.count),
      gradient: new Float64Array(run.count),
      epoch: 0, alpha: setup.rate, squared: NaN, known: false, step: NaN, trials: 0, stopped: "",
    });
    run.loss = evaluate(run, run.here);
    return run;
  }

  function evaluate(run, v) {
    return lossOf(run.setup.loss, forward(run, v), run.Y);
  }

  /* The gradient where the run is, from the passes that `forward` left. */
  function backward(run) {
    const { layers, gradient, here } = run;
    let l = layers.length - 1;
    gradient.fill(0);
    outputDelta(run.setup.loss, run.A[l + 1], run.Y, run.D[l]);
    for (; l >= 0; l--) {
      const { nIn, nOut, w, b } = layers[l], A = run.A[l], D = run.D[l];
      const back = l ? run.D[l - 1] : null;
      for (let r = 0; r < run.m; r++) {
        for (let j = 0; j < nOut; j++) gradient[b + j] += D[r * nOut + j];
        for (let i = 0; i < nIn; i++) {
          const a = A[r * nIn + i];
          let sum = 0;
          for (let j = 0; j < nOut; j++) {
            const d = D[r * nOut + j];
            gradient[w + i * nOut + j] += a * d;
            sum += d * here[w + i * nOut + j];
          }
          if (back) back[r * nIn + i] = sum;
        }
      }
      if (back) differentiate(run.hidden, run.slope, run.Z[l - 1], A, back);
    }
    run.squared = gradient.reduce((sum, g) => sum + g * g, 0);
    run.known = true;
  }

  /* One step along the gradient; false once the run has ended, and then `stopped` says why. */
  function update(run) {
    if (run.stopped) return false;
    if (!run.known) backward(run);
    if (run.squared === 0) return end(run, "zero gradient");
    const { here, other, gradient, setup } = run, { c, shrink, growth, smallest, slack } = setup.armijo;
    const allowed = run.loss + slack * Number.EPSILON * Math.abs(run.loss);
    let step = run.alpha, trials = 1, loss;
    for (;;) {
      for (let k = 0; k < here.length; k++) other[k] = here[k] - step * gradient[k];
      loss = evaluate(run, other);
      if (setup.rule === "fixed" || loss <= allowed - c * step * run.squared) break;
      step *= shrink;
      if (step < smallest) {
        evaluate(run, here);
        return end(run, "search gave up");
      }
      trials += 1;
    }
    run.step = step;
    run.trials = trials;
    if (!Number.isFinite(loss)) {
      evaluate(run, here);
      return end(run, "diverged");
    }
    if (setup.rule === "warm") run.alpha = growth * step;
    run.here = other;
    run.other = here;
    run.loss = loss;
    run.known = false;
    run.epoch += 1;
    return true;
  }

  function end(run, reason) {
    run.stopped = reason;
    return false;
  }

  /* Train; give the loss before each step and after the last. */
  function train(run, epochs) {
    const losses = [run.loss];
    for (let k = 0; k < epochs && update(run); k++) losses.push(run.loss);
    return losses;
  }

  // What a run says about one sample, all samples, one unit

  function probability(run, sample) {
    const out = run.A[run.A.length - 1][sample];
    return run.output === "identity" ? sigmoid(out) : out;
  }

  /* Samples on the right side of 0.5. */
  function right(run) {
    let sum = 0;
    for (let k = 0; k < run.m; k++) sum += (probability(run, k) - 0.5) * (run.Y[k] - 0.5) > 0 ? 1 : 0;
    return sum;
  }

  /* Whether no gradient passes through a unit, whatever the sample. */
  function dead(run, { layer, at }) {
    if (run.hidden !== "relu" || layer === 0 || layer === run.layers.length) return false;
    const n = run.layers[layer - 1].nOut, Z = run.Z[layer - 1];
    for (let k = 0; k < run.m; k++) if (Z[k * n + at] > 0) return false;
    return true;
  }

  window.Playground = Object.assign(window.Playground || {}, {
    generator, start, room, predict, create, backward, update, train, probability, right, dead,
  });
})();
