"""report.py - medians, ratios, means, the bars.

A ratio is taken within a round, where the two ran one after the other, and the median of the rounds is shown: so a
machine that is slow for a while is so for both. Ratios are to jemalloc (where it is left out, to the first library); means are
geometric, over the rows that weigh and that every one of the compared libraries has.
"""
import math
import statistics
from dataclasses import dataclass

from .library import BASE, OURS, PEERS

PEER_NAMES = [name for name, _, _ in PEERS]


@dataclass
class Bar:
    text: str
    limit: float
    figure: float = None            # None: not measured
    note: str = ""

    @property
    def verdict(self):
        return "not measured" if self.figure is None else "pass" if self.figure <= self.limit else "FAIL"


class Results:
    """Samples by row and library, and what can be said of them."""

    def __init__(self, workloads, libraries):
        self.workloads = workloads
        self.names = [library.name for library in libraries]
        self.base = BASE if BASE in self.names else self.names[0]
        self.samples = {(w.name, name): [] for w in workloads for name in self.names}

    def add(self, workload, library, sample):
        self.samples[workload.name, library.name].append(sample)

    def errors(self):
        """(row, library, error), each once; a sum unlike that of most counts as one."""
        found = []
        for (row, name), samples in self.samples.items():
            found += [(row, name, error) for error in dict.fromkeys(s.error for s in samples if s.error)]
        for row, name in self.odd_sums():
            found.append((row, name, "the result differs from that of the others"))
        return found

    def odd_sums(self):
        for workload in self.workloads:
            sums = {name: {s.sum for s in self.samples[workload.name, name] if not s.error} for name in self.names}
            every = [s for each in sums.values() for s in each]
            if len(set(every)) < 2:
                continue
            usual = statistics.mode(every)
            for name, each in sums.items():
                if each - {usual}:
                    yield workload.name, name

    def figures(self, row, name, what):
        samples = self.samples.get((row, name), [])
        if not samples or any(sample.error for sample in samples):
            return []
        return [getattr(s, what) for s in samples if getattr(s, what) is not None]

    def median(self, row, name, what):
        figures = self.figures(row, name, what)
        return statistics.median(figures) if figures else None

    def ratios(self, row, name, other, what):
        """Of each round; none where one of the two lacks a figure."""
        ours, theirs = self.figures(row, name, what), self.figures(row, other, what)
        paired = len(ours) == len(theirs) and 0 not in theirs
        return [figure / to for figure, to in zip(ours, theirs)] if paired else []

    def ratio(self, row, name, what, other=None):
        ratios = self.ratios(row, name, other or self.base, what)
        return statistics.median(ratios) if ratios else None

    def spread(self, row, what):
        """The widest (max - min) / median of the ratios to the base."""
        found = [ratios for name in self.names if len(ratios := self.ratios(row, name, self.base, what)) > 1]
        return max(((max(r) - min(r)) / (statistics.median(r) or 1) for r in found), default=None)

    def against_best(self, row, what):
        """Ours to the best peer of this row, and which that is."""
        against = {name: self.ratio(row, OURS, what, name) for name in self.names if name in PEER_NAMES}
        known = {name: ratio for name, ratio in against.items() if ratio is not None}
        if OURS not in self.names or not known:
            return None, ""
        best = max(known, key=known.get)
        return known[best], best

    def rows(self, what, kinds, weighing=False):
        return [w.name for w in self.workloads if w.kind in kinds and (w.weighs or not weighing) and
                any(self.median(w.name, name, what) is not None for name in self.names)]

    def mean(self, name, what, kinds):
        """None where this library lacks a row that the base has: a mean of fewer rows would not compare."""
        rows = [row for row in self.rows(what, kinds, weighing=True) if self.median(row, self.base, what)]
        ratios = [self.ratio(row, name, what) for row in rows]
        if not ratios or None in ratios:
            return None
        return math.exp(sum(math.log(max(ratio, 1e-9)) for ratio in ratios) / len(ratios))


# ---- the bars ------------------------------------------------------------------------------------------------------------

def best_mean(results, what, kinds, names):
    means = [results.mean(name, what, kinds) for name in names if name in results.names]
    known = [mean for mean in means if mean is not None]
    return min(known, default=None)


def quotient(figure, other):
    return figure / other if figure is not None and other else None


def bars_of_time(results, kind, to_base, to_best):
    ours = results.mean(OURS, "seconds", (kind,))
    best = best_mean(results, "seconds", (kind,), PEER_NAMES)
    return [Bar(f"{kind}: mean time to jemalloc's", to_base, ours),
            Bar(f"{kind}: mean time to the best mean of a peer", to_best, quotient(ours, best))]


def bars_of_rows(results):
    rows = results.rows("seconds", ("own", "real"))
    against = {row: results.against_best(row, "seconds")[0] for row in rows}
    known = {row: ratio for row, ratio in against.items() if ratio is not None}
    if not known:
        return [Bar("time to the best peer's, four rows of five", 1.05), Bar("time to the best peer's, every row", 1.25)]
    ordered = sorted(known.values()) + [math.inf] * (len(against) - len(known))
    worst = max(known, key=known.get)
    return [Bar("time to the best peer's, four rows of five", 1.05, ordered[math.ceil(len(ordered) * 0.8) - 1]),
            Bar("time to the best peer's, every row", 1.25, ordered[-1], f"worst: {worst}")]


def bars_of_memory(results):
    kinds = ("own", "real", "memory")
    ours = results.mean(OURS, "peak_kib", kinds)
    lean = best_mean(results, "peak_kib", kinds, ("mimalloc", "tcmalloc"))
    rows = [(row, what) for what in ("peak_kib", "rest_kib") for row in results.rows(what, kinds)]
    ratios = {pair: results.ratio(pair[0], OURS, pair[1]) for pair in rows}
    known = {pair: ratio for pair, ratio in ratios.items() if ratio is not None}
    worst = max(known, key=known.get, default=None)
    figure = None if worst is None else known[worst] if len(known) == len(ratios) else math.inf
    bars = [Bar("mean peak to jemalloc's", 0.95, ours),
            Bar("mean peak to the leaner of mimalloc and tcmalloc", 1.00, quotient(ours, lean)),
            Bar("memory to jemalloc's, every row", 1.10, figure, f"worst: {worst[0]}" if worst else "")]
    for row in ("idle", "idle-threads"):
        rest, peak = results.median(row, OURS, "rest_kib"), results.median(row, OURS, "peak_kib")
        bars.append(Bar(f"{row}: rest to peak", 0.25, quotient(rest, peak)))
    return bars


def bars(results):
    """None can be judged without jemalloc and midden. A row that midden failed fails every mean it belongs to."""
    if results.base != BASE or OURS not in results.names:
        return []
    every = bars_of_all(results)
    if any(name == OURS for _, name, _ in results.errors()):
        for bar in every:
            if bar.figure is None:
                bar.figure, bar.note = math.inf, "a row failed"
    return every


def bars_of_all(results):
    many, two = (results.median(f"threads-{n}", OURS, "seconds") for n in (64, 2))
    return (bars_of_time(results, "own", 0.80, 0.95) + bars_of_time(results, "real", 0.97, 1.00) +
            bars_of_rows(results) + bars_of_memory(results) +
            [Bar("time of 64 threads to that of 2", 1.15, quotient(many, two))])


# ---- the table ------------------------------------------------------------------------------------------------------------

def cell(figure, form="{:.2f}"):
    return "-" if figure is None else form.format(figure)


def table_head(results, what, unit):
    head = f"{what:<18}" + "".join(f"{name[:9]:>10}" for name in results.names)
    return head + f"{results.base + ', ' + unit:>15}{'ours/best':>11} {'best':<9}{'spread':>7}"


def table_row(results, row, what, scale):
    line = f"{row:<18}" + "".join(f"{cell(results.ratio(row, name, what)):>10}" for name in results.names)
    base = results.median(row, results.base, what)
    ratio, best = results.against_best(row, what)
    return (line + f"{cell(None if base is None else base * scale, '{:.3f}'):>15}{cell(ratio):>11} {best:<9}"
            f"{cell(results.spread(row, what), '{:.0%}'):>7}")


def table_mean(results, title, what, kinds):
    return f"{title:<18}" + "".join(f"{cell(results.mean(name, what, kinds)):>10}" for name in results.names)


def section(results, title, what, unit, scale, groups):
    """One table; groups: (name of the mean or "", kinds)."""
    lines = [table_head(results, title, unit)]
    for mean, kinds in groups:
        rows = results.rows(what, kinds)
        lines += [table_row(results, row, what, scale) for row in rows]
        if mean and rows:
            lines += [table_mean(results, mean, what, kinds), ""]
    return lines if len(lines) > 1 else []


def text(results, notes, judged):
    """All that is printed: tables of ratios (lower is better), counts, bars, notes."""
    lines = section(results, "time", "seconds", "s", 1, (("mean of own", ("own",)), ("mean of real", ("real",))))
    lines += section(results, "peak", "peak_kib", "MiB", 1 / 1024, (("", ("own", "real", "memory")),))
    if results.rows("peak_kib", ("own", "real", "memory")):
        lines += [table_mean(results, "mean of peaks", "peak_kib", ("own", "real", "memory")), ""]
    lines += section(results, "rest", "rest_kib", "MiB", 1 / 1024, (("", ("memory",)),)) + [""]
    lines += counts(results)
    if judged:
        lines += judgement(results)
    lines += [f"{row}: {name}: {error}" for row, name, error in results.errors()] + list(notes)
    return "\n".join(lines).rstrip() + "\n"


def judgement(results):
    lines = ["bars" if bars(results) else "bars: they take jemalloc and midden"]
    for bar in bars(results):
        note = f"   {bar.note}" if bar.note else ""
        lines.append(f"    {bar.text:<52}{cell(bar.figure):>8}  at most {bar.limit:.2f}   {bar.verdict}{note}")
    return lines + [""]


def counts(results):
    rows = results.rows("instructions", ("count",))
    if not rows:
        return []
    lines = [f"{'instructions':<18}" + "".join(f"{name[:9]:>10}" for name in results.names)]
    for row in rows:
        lines.append(f"{row:<18}" + "".join(
            f"{cell(results.median(row, name, 'instructions'), '{:.1f}'):>10}" for name in results.names))
    return lines + [""]
