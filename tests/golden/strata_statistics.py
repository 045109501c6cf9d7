"""Writes strata_statistics.json: the tests of several strata, of failures, and score intervals.

What SciPy or statsmodels has is theirs; the rest is computed from its definition: over all
signs or choices, or by SciPy's root finder.

    apt-get install python3-scipy python3-statsmodels && python3 strata_statistics.py
"""

import itertools
import json

import numpy as np
import scipy
import statsmodels
from scipy import optimize, stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

rng = np.random.default_rng(20261126)
result = {"scipy": scipy.__version__, "statsmodels": statsmodels.__version__}


def sample(n, shift, kind):
    values = rng.normal(shift, 1, n)
    return np.round(values * 3) if kind == "ties" else np.round(values, 4)


def rounded(values):
    return [float(v) for v in values]



def student_quantile(tail, df):
    """SciPy 1.10's isf is right to 1e-9 only."""
    return optimize.brentq(lambda t: stats.t.sf(t, df) - tail, 0, 1e5, xtol=1e-16, rtol=1e-15)


def signed_effect(d):
    d = d[d != 0]
    if len(d) == 0:
        return 0.0
    ranks = stats.rankdata(abs(d))
    return (ranks[d > 0].sum() - ranks[d < 0].sum()) / ranks.sum()


def delta(x, y):
    return np.sign(x[:, None] - y[None, :]).mean()


def two_sided(values, weights, observed):
    low = weights[values <= observed + 1e-9].sum()
    high = weights[values >= observed - 1e-9].sum()
    return min(1, 2 * min(low, high) / weights.sum())


def combine(distributions):
    """All sums of one value of each distribution, with their weights."""
    values, weights = np.array([0.0]), np.array([1.0])
    for v, w in distributions:
        values = np.round((values[:, None] + v[None, :]).ravel(), 10)
        weights = (weights[:, None] * w[None, :]).ravel()
        values, where = np.unique(values, return_inverse=True)
        weights = np.bincount(where, weights)
    return values, weights


def all_signs(d):
    signs = np.array(list(itertools.product([-1, 1], repeat=len(d))))
    return np.array([signed_effect(abs(d) * s) for s in signs]), np.ones(len(signs))


def all_choices(x, y):
    pool = np.concatenate([x, y])
    everything = set(range(len(pool)))
    effects = [
        delta(pool[list(chosen)], pool[sorted(everything - set(chosen))])
        for chosen in itertools.combinations(range(len(pool)), len(x))
    ]
    return np.array(effects), np.ones(len(effects))


def score_interval(theta, variance):
    z = stats.norm.isf(0.025)

    def distance(t):
        return (theta - t) ** 2 - z * z * variance(t)

    low = 0 if theta == 0 else optimize.brentq(distance, 0, theta - 1e-12, xtol=1e-15)
    high = 1 if theta == 1 else optimize.brentq(distance, theta + 1e-12, 1, xtol=1e-15)
    return [2 * theta - 1, 2 * low - 1, 2 * high - 1]


def delta_variance(m, n):
    mean = (m + n) / 2
    return lambda t: t * (1 - t) / (m * n) * (1 + (mean - 1) * ((1 - t) / (2 - t) + t / (1 + t)))


def pairs_variance(n):
    return lambda t: t * (1 - t) * 2 * (2 * n + 1) / (3 * n * (n + 1))


result["student"] = [
    [t, df, float(stats.t.sf(t, df))] for df in [300, 5000, 2e4, 1e5, 1e6] for t in [0.4, 1.7, 2, 5]
]
result["student_quantile"] = [
    [tail, df, student_quantile(tail, df)] for tail in [0.4, 0.05, 1e-4] for df in [1, 2.5, 9, 118.2, 1e5]
]
result["stratified_signed_rank"] = []
for sizes in [(3, 4), (5, 5, 5), (6, 5, 4), (8, 8)]:
    for kind in ["continuous", "ties"]:
        strata = [sample(n, 0.6, kind) * 10**k for k, n in enumerate(sizes)]
        values, weights = combine([all_signs(d) for d in strata])
        observed = sum(signed_effect(d) for d in strata)
        p = two_sided(values, weights, observed)
        result["stratified_signed_rank"].append([[rounded(d) for d in strata], "exact", float(observed / len(strata)), float(p)])
strata = [sample(n, 0.05, "continuous") for n in [60, 61, 67, 71, 73]]
variance = sum((stats.rankdata(abs(d)) ** 2).sum() / (len(d) * (len(d) + 1) / 2) ** 2 for d in strata)
observed = sum(signed_effect(d) for d in strata)
result["stratified_signed_rank"].append(
    [[rounded(d) for d in strata], "asymptotic", float(observed / 5), float(2 * stats.norm.sf(abs(observed) / np.sqrt(variance)))]
)
result["stratified_rank_sum"] = []
for sizes in [((3, 4), (4, 3)), ((5, 5), (5, 5), (5, 5)), ((4, 6), (5, 5)), ((6, 6), (6, 6))]:
    for kind in ["continuous", "ties"]:
        strata = [(sample(m, 0.8, kind) * 10**k, sample(n, 0, kind) * 10**k) for k, (m, n) in enumerate(sizes)]
        values, weights = combine([all_choices(x, y) for x, y in strata])
        observed = sum(delta(x, y) for x, y in strata)
        p = two_sided(values, weights, observed)
        result["stratified_rank_sum"].append(
            [[[rounded(x), rounded(y)] for x, y in strata], "exact", float(observed / len(strata)), float(p)]
        )
for kind in ["continuous", "ties"]:
    strata = [(sample(m, 0.1, kind), sample(n, 0, kind)) for m, n in [(40, 37), (41, 43), (31, 47)]]
    variance = 0
    for x, y in strata:
        m, n = len(x), len(y)
        _, counts = np.unique(np.concatenate([x, y]), return_counts=True)
        u = m * n / 12 * (m + n + 1 - (counts**3 - counts).sum() / ((m + n) * (m + n - 1)))
        variance += 4 * u / (m * n) ** 2
    observed = sum(delta(x, y) for x, y in strata)
    result["stratified_rank_sum"].append(
        [
            [[rounded(x), rounded(y)] for x, y in strata],
            "asymptotic",
            float(observed / 3),
            float(2 * stats.norm.sf(abs(observed) / np.sqrt(variance))),
        ]
    )
result["fisher"] = []
for m, n, a, b in [(10, 10, 0, 6), (40, 40, 0, 24), (5, 9, 3, 1), (5, 5, 5, 5), (12, 12, 1, 1), (120, 118, 30, 12)]:
    p = stats.fisher_exact([[a, m - a], [b, n - b]]).pvalue
    result["fisher"].append([[[m, n, a, b]], float(p)])
for tables in [[(10, 10, 0, 6)] * 4, [(5, 5, 1, 3), (6, 4, 2, 2), (5, 5, 0, 0)]]:
    distributions = []
    for m, n, a, b in tables:
        k = np.arange(max(0, a + b - n), min(m, a + b) + 1)
        distributions.append((k.astype(float), stats.hypergeom.pmf(k, m + n, a + b, m)))
    values, weights = combine(distributions)
    at = weights[values == sum(a for _, _, a, _ in tables)][0]
    p = weights[weights <= at * (1 + 1e-7)].sum()
    result["fisher"].append([[list(t) for t in tables], float(min(1, p))])
result["mcnemar"] = [
    [a, b, float(mcnemar([[0, a], [b, 0]], exact=True).pvalue)] for a, b in [(0, 6), (3, 3), (24, 0), (1, 9), (40, 61)]
]
result["rank_biserial"] = []
for n in [2, 5, 10, 30]:
    for shift in [0, 1, 9]:
        d = sample(n, shift, "continuous")
        result["rank_biserial"].append([rounded(d), rounded(score_interval((1 + signed_effect(d)) / 2, pairs_variance(n)))])
result["cliffs_delta"] = []
for m, n in [(2, 2), (5, 5), (8, 12), (30, 30)]:
    for shift in [0, 1, 9]:
        x, y = sample(m, shift, "continuous"), sample(n, 0, "continuous")
        result["cliffs_delta"].append([rounded(x), rounded(y), rounded(score_interval((1 + delta(x, y)) / 2, delta_variance(m, n)))])
result["mean_effect"] = []
for sizes in [(5, 5, 5), (4, 8)]:
    strata = [sample(n, 0.5, "continuous") for n in sizes]
    theta = np.mean([(1 + signed_effect(d)) / 2 for d in strata])
    variances = [pairs_variance(n) for n in sizes]
    interval = score_interval(theta, lambda t: sum(v(t) for v in variances) / len(sizes) ** 2)
    result["mean_effect"].append([[rounded(d) for d in strata], rounded(interval)])
result["stratified_equivalence"] = []
for paired in [True, False]:
    for sizes in [(5,), (5, 5, 5), (4, 9)]:
        strata = [(sample(n, 0.2, "continuous"), sample(n if paired else n + 2, 0, "continuous")) for n in sizes]
        parts = [
            part
            for x, y in strata
            for part in ([(np.var(x - y, ddof=1) / len(x), len(x) - 1)] if paired else [(np.var(z, ddof=1) / len(z), len(z) - 1) for z in (x, y)])
        ]
        k = len(sizes)
        difference = sum(x.mean() - y.mean() for x, y in strata) / k
        error = np.sqrt(sum(v for v, _ in parts)) / k
        df = sum(v for v, _ in parts) ** 2 / sum(v**2 / f for v, f in parts)
        p = max(stats.t.sf((difference + 0.5) / error, df), stats.t.sf((0.5 - difference) / error, df))
        reach = student_quantile(0.05, df) * error
        result["stratified_equivalence"].append(
            [[[rounded(x), rounded(y)] for x, y in strata], paired, float(p), float(difference - reach), float(difference + reach)]
        )
result["holm"] = [
    [rounded(p), rounded(multipletests(p, method="holm")[1])] for p in [rng.uniform(0, 0.1, n) for n in [2, 7, 72]]
]

with open("strata_statistics.json", "w") as file:
    json.dump(result, file, separators=(",", ":"))
    file.write("\n")
