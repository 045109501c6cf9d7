"""Writes scipy_statistics.json: tests and distributions as SciPy computes them."""

import json
import warnings

import numpy as np
import scipy
from scipy import stats

warnings.filterwarnings("ignore")
rng = np.random.default_rng(20240501)


def sample(n, shift, kind):
    values = rng.normal(shift, 1, n)
    if kind == "ties":
        return np.round(values * 3)
    return np.round(values, 4)


def tost(x, y, margin, paired):
    if paired:
        test = stats.ttest_rel
        options = {}
    else:
        test = stats.ttest_ind
        options = {"equal_var": False}
    above = test(x + margin, y, alternative="greater", **options).pvalue
    below = test(x - margin, y, alternative="less", **options).pvalue
    return max(above, below)


def rounded(values):
    return [float(v) for v in values]


result = {
    "scipy": scipy.__version__,
    "normal": [[z, float(stats.norm.sf(z))] for z in [-8, -1.96, 0, 0.1, 0.7, 1.2, 1.5, 3, 8, 30]],
    "student": [
        [t, df, float(stats.t.sf(t, df))]
        for df in [0.7, 1, 2, 3.37, 9, 29.5, 118.2, 2000]
        for t in [-3.5, -0.01, 0, 0.4, 2, 12]
    ],
    "wilcoxon": [],
    "mann_whitney": [],
    "equivalence": [],
    "holm": [],
}
for n in [2, 3, 5, 6, 10, 13, 14, 25, 50, 51, 120, 200]:
    for kind in ["continuous", "ties"]:
        d = sample(n, 0.4, kind)
        w = stats.wilcoxon(d)
        result["wilcoxon"].append([rounded(d), float(w.statistic), float(w.pvalue)])
for m, n in [(1, 1), (2, 2), (3, 3), (5, 5), (5, 6), (1, 20), (8, 8), (8, 120), (9, 9), (9, 30), (25, 24), (120, 120), (200, 150)]:
    for kind in ["continuous", "ties"]:
        x, y = sample(m, 0.5, kind), sample(n, 0, kind)
        u = stats.mannwhitneyu(x, y)
        row = [rounded(x), rounded(y), float(u.statistic), float(u.pvalue)]
        row.append(float(stats.mannwhitneyu(x, y, method="asymptotic").pvalue))
        result["mann_whitney"].append(row)
for n in [2, 3, 5, 12, 60]:
    for margin in [0.1, 0.5, 1.5]:
        for paired in [True, False]:
            x, y = sample(n, 0.2, "continuous"), sample(n if paired else n + 3, 0, "continuous")
            p = tost(x, y, margin, paired)
            result["equivalence"].append([rounded(x), rounded(y), margin, paired, float(p)])
for n in [1, 2, 5, 24]:
    p = np.round(rng.uniform(0, 0.2, n) ** 2, 5)
    order = np.argsort(p)
    adjusted = np.minimum(1, np.maximum.accumulate(p[order] * (n - np.arange(n))))
    corrected = np.empty(n)
    corrected[order] = adjusted
    result["holm"].append([rounded(p), rounded(corrected)])
with open("scipy_statistics.json", "w") as file:
    json.dump(result, file, separators=(",", ":"))
    file.write("\n")
