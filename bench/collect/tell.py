"""tell.py - samples, what can be said of them, and where that is written.

A figure is the median of the rounds, and in a round of its explicit collections; a ratio is midden's figure to
bdwgc's in the same round, and the median of those; a mean is geometric, over all programs, or there is none.
"""
import csv
import json
import math
import os
import statistics
from dataclasses import asdict, dataclass, field

PEER, OURS = "bdwgc", "midden"


@dataclass
class Sample:
    round: int
    program: str
    markers: int
    collector: str
    seconds: float = None           # on the clock, of the program without the explicit collections
    cpu: float = None               # user and system, the same
    wall: float = None              # on the clock, from start to end of the process
    wall_cpu: float = None
    peak_kib: int = None            # of the whole process
    sum: str = ""
    full_ms: list = field(default_factory=list)         # explicit full collections
    stopped_us: list = field(default_factory=list)      # collections during the program: the world stood
    waited_us: list = field(default_factory=list)       # the same ones: their caller waited
    error: str = ""


def middle(figures):
    return statistics.median(figures) if figures else None


def percentile(ordered, part):
    return ordered[math.ceil(part * len(ordered)) - 1] if ordered else None


class Results:
    def __init__(self, samples, names):
        self.samples, self.names = samples, names

    def of(self, program, markers, collector):
        """Every sample of the cell, or none of them if one failed."""
        found = [s for s in self.samples if (s.program, s.markers, s.collector) == (program, markers, collector)]
        return [] if any(s.error for s in found) else found

    def figures(self, program, markers, collector, what):
        """One a round."""
        found = [getattr(s, what) for s in self.of(program, markers, collector)]
        found = [middle(figure) if isinstance(figure, list) else figure for figure in found]
        return [figure for figure in found if figure is not None]

    def median(self, *cell_and_what):
        return middle(self.figures(*cell_and_what))

    def paired(self, what, cell, to):
        """Ratios of each round; none where one of the two cells lacks a figure. A cell: program, markers, collector."""
        figures, others = (self.figures(*one, what) for one in (cell, to))
        paired = len(figures) == len(others) and 0 not in others
        return [figure / other for figure, other in zip(figures, others)] if paired else []

    def ratios(self, program, markers, what):
        return self.paired(what, (program, markers, OURS), (program, markers, PEER))

    def faster(self, program, few, many, collector):
        """How many times as fast a full collection is with many markers as with few."""
        return middle(self.paired("full_ms", (program, few, collector), (program, many, collector)))

    def ratio(self, program, markers, what):
        return middle(self.ratios(program, markers, what))

    def mean(self, markers, what):
        """Geometric; None unless every program has the figure."""
        ratios = [self.ratio(name, markers, what) for name in self.names]
        if not ratios or None in ratios:
            return None
        return math.exp(statistics.mean(math.log(max(ratio, 1e-9)) for ratio in ratios))

    def spread(self, program, markers, what):
        """(max - min) / median of the ratios."""
        ratios = self.ratios(program, markers, what)
        return (max(ratios) - min(ratios)) / (middle(ratios) or 1) if len(ratios) > 1 else None

    def pauses(self, program, markers, collector, what):
        """Of all rounds together, in ms."""
        return sorted(us / 1e3 for s in self.of(program, markers, collector) for us in getattr(s, what))

    def faults(self):
        for name, who, error in dict.fromkeys((s.program, s.collector, s.error) for s in self.samples if s.error):
            yield f"{name}: {who}: {error}"
        for name in self.names:
            if len({s.sum for s in self.samples if s.program == name and not s.error}) > 1:
                yield f"{name}: the sums differ"


# ---- the tables ---------------------------------------------------------------------------------------------------

def cell(figure, form="{:.2f}", width=9):
    return f"{'-' if figure is None else form.format(figure):>{width}}"


COLUMNS = (("time, s", "seconds", 1, "{:.3f}"), ("peak, MiB", "peak_kib", 1 / 1024, "{:.1f}"),
           ("full collection, ms", "full_ms", 1, "{:.2f}"))
PARTS = (0.5, 0.99, 1)


def figures_row(results, name, markers):
    line = f"{name:<10}"
    for _, what, scale, form in COLUMNS:
        for collector in (PEER, OURS):
            figure = results.median(name, markers, collector, what)
            line += cell(None if figure is None else figure * scale, form)
        line += cell(results.ratio(name, markers, what))
    return line + "".join(cell(results.spread(name, markers, what), "{:.0%}") for what in ("seconds", "full_ms"))


def figures_table(results, markers):
    lines = [f"{f'markers {markers}':<10}" + "".join(f"{title:>27}" for title, *_ in COLUMNS) + f"{'spread':>18}",
             " " * 10 + f"{PEER:>9}{OURS:>9}{'ratio':>9}" * 3 + f"{'time':>9}{'full':>9}"]
    lines += [figures_row(results, name, markers) for name in results.names]
    means = [cell(results.mean(markers, what), width=27) for _, what, *_ in COLUMNS]
    return lines + [f"{'mean':<10}" + "".join(means), ""]


def stops_cells(results, name, markers, collector):
    stops, waits = (results.pauses(name, markers, collector, what) for what in ("stopped_us", "waited_us"))
    runs = len(results.of(name, markers, collector)) or 1
    shown = [percentile(stops, part) for part in PARTS] + [percentile(waits, 1)]
    return cell(len(stops) / runs, "{:.0f}", 8) + "".join(cell(figure, "{:.2f}", 8) for figure in shown)


def stops_table(results, markers):
    head = f"{'count':>8}{'p50':>8}{'p99':>8}{'max':>8}{'wait':>8}"
    lines = [f"{'stops, ms':<10}{PEER:>40}{OURS:>40}", " " * 10 + head * 2]
    for name in results.names:
        lines.append(f"{name:<10}" + "".join(stops_cells(results, name, markers, one) for one in (PEER, OURS)))
    return lines + [""]


def scaling_table(results, markers):
    lines = []
    for many in markers[1:]:
        lines += [f"full collections, {many} markers to {markers[0]}: times as fast, median of rounds",
                  " " * 10 + f"{PEER:>9}{OURS:>9}"]
        for name in results.names:
            lines.append(f"{name:<10}" + "".join(cell(results.faster(name, markers[0], many, one)) for one in (PEER, OURS)))
        lines.append("")
    return lines


def text_of(results, markers, filter_text, notes):
    lines = []
    for count in markers:
        lines += figures_table(results, count) + stops_table(results, count)
    lines += scaling_table(results, markers)
    lines += ["the filter of the marker"] + filter_text.rstrip().split("\n") + [""]
    return "\n".join(lines + list(results.faults()) + notes).rstrip() + "\n"


# ---- files --------------------------------------------------------------------------------------------------------

def write_csv(results, path):
    """One line a run; of its collections count and percentiles: each of them is in result.json."""
    plain = [name for name in Sample.__dataclass_fields__ if not name.endswith(("_ms", "_us"))]
    with open(path, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(plain + ["full_ms", "stops", "stop_p50_us", "stop_p99_us", "stop_max_us", "wait_max_us"])
        for sample in results.samples:
            stops = sorted(sample.stopped_us)
            writer.writerow([getattr(sample, name) for name in plain] + [middle(sample.full_ms), len(stops)] +
                            [percentile(stops, part) for part in PARTS] + [max(sample.waited_us, default=None)])


def write_json(results, path, about):
    whats = [what for _, what, *_ in COLUMNS]
    markers = sorted({sample.markers for sample in results.samples})
    means = [{"markers": count, **{what: results.mean(count, what) for what in whats}} for count in markers]
    ratios = [{"program": name, "markers": count, **{what: results.ratio(name, count, what) for what in whats}}
              for count in markers for name in results.names]
    with open(path, "w") as file:
        json.dump({**about, "means": means, "ratios": ratios, "samples": [asdict(s) for s in results.samples]},
                  file, indent=1)
        file.write("\n")


def write_all(results, directory, about, text):
    os.makedirs(directory, exist_ok=True)
    write_csv(results, os.path.join(directory, "samples.csv"))
    write_json(results, os.path.join(directory, "result.json"), about)
    with open(os.path.join(directory, "table.txt"), "w") as file:
        file.write(text)
