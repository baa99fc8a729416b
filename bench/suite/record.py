"""record.py - what is left of a run: every sample as CSV and JSON, the table, a plot."""
import csv
import json
import math
import os
import subprocess
from dataclasses import asdict

from .report import bars

COLUMNS = ("round", "row", "kind", "library", "seconds", "cpu", "peak_kib", "rest_kib", "instructions", "sum", "error")


def samples(results):
    for workload in results.workloads:
        for name in results.names:
            for number, sample in enumerate(results.samples[workload.name, name], 1):
                yield {"round": number, "row": workload.name, "kind": workload.kind, "library": name, **asdict(sample)}


def write_csv(results, path):
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(samples(results))


def write_json(results, path, about):
    judged = [{**asdict(bar), "figure": None if bar.figure in (None, math.inf) else bar.figure, "verdict": bar.verdict}
              for bar in bars(results)]
    whole = {**about, "bars": judged,
             "samples": list(samples(results))}
    with open(path, "w") as file:
        json.dump(whole, file, indent=1, allow_nan=False, default=str)
        file.write("\n")


PLOT = """set terminal svg size 1800,1400 font "sans,13" background "#ffffff"
set output "{out}"
set datafile missing "-"
set style data histogram
set style histogram clustered gap 1
set style fill solid 0.9 noborder
set key outside top center horizontal
set grid y lc rgb "#dddddd"
set xtics rotate by -50 noenhanced
set yrange [0:*<{top}]
set multiplot layout 2,1
"""
COLOURS = ("#9a9a9a", "#5b8fc9", "#7fb77e", "#d9a441", "#c0392b", "#7d5ba6", "#3b3b3b", "#e377c2")


def plot_data(results, what, kinds, path):
    rows = results.rows(what, kinds)
    with open(path, "w") as file:
        for row in rows:
            ratios = [results.ratio(row, name, what) for name in results.names]
            file.write(" ".join([row] + ["-" if ratio is None else f"{ratio:.4f}" for ratio in ratios]) + "\n")
    return rows


def plot_half(results, title, path):
    bars_ = ", ".join(f'"{path}" using {column + 2}:xtic(1) title "{name}" lc rgb "{COLOURS[column % len(COLOURS)]}"'
                      for column, name in enumerate(results.names))
    return f'set title "{title}, ratio to {results.base} (lower is better)"\nplot {bars_}, 1 with lines lc rgb "#000000" notitle\n'


def write_plot(results, path, scratch):
    """Bars above 3 are cut off at the top; the table has the figure."""
    script = PLOT.format(out=path, top=3)
    drawn = 0
    for title, what, kinds in (("time", "seconds", ("own", "real")),
                               ("peak memory", "peak_kib", ("own", "real", "memory"))):
        data = os.path.join(scratch, f"{what}.dat")
        if plot_data(results, what, kinds, data):
            script += plot_half(results, title, data)
            drawn += 1
    if drawn:
        subprocess.run(["gnuplot"], input=script, text=True, check=True)
    return drawn > 0


def write_all(results, directory, about, text, scratch):
    """Returns what could not be written, as sentences."""
    os.makedirs(directory, exist_ok=True)
    write_csv(results, os.path.join(directory, "samples.csv"))
    write_json(results, os.path.join(directory, "result.json"), about)
    with open(os.path.join(directory, "table.txt"), "w") as file:
        file.write(text)
    try:
        write_plot(results, os.path.join(directory, "plot.svg"), scratch)
    except (OSError, subprocess.SubprocessError) as error:
        return [f"no plot.svg: gnuplot: {error}"]
    return []
