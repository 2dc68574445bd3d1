"""The table and the plot of a comparison, from the JSON that benchmarks/compare.py writes.

    benchmarks/compare_report.py FILE.json...       prints the tables again, and writes the plots beside the files
"""
import json
import os
import sys

# A cell is marked when other processes kept more than this many cores busy meanwhile: its times are not to be trusted.
DISTURBED_CORES = 0.3
OURS = "neural_engine"
COLOURS = {"onnxruntime": "#7f7f7f", "openvino": "#1f77b4", "openvino-bf16": "#9ecae1", "neural_engine": "#d62728"}


def blocks(result):
    """(model, threads, {engine: record}) in the order measured."""
    for model, by_threads in result["results"].items():
        for threads, records in by_threads.items():
            yield model, int(threads), records


def told_spread(cell):
    """The 10th to the 90th percentile, relative to the median."""
    return f"{100 * (cell['p10_ms'] / cell['median_ms'] - 1):+.0f}..{100 * (cell['p90_ms'] / cell['median_ms'] - 1):+.0f} %"


def speed_table(records):
    baseline = next(iter(records))
    cells = list(records[baseline]["cells"])
    lines = ["| engine | " + " | ".join(cells) + " |", "|---" * (len(cells) + 1) + "|"]
    for name, record in records.items():
        row = []
        for cell in cells:
            own, base = record["cells"][cell], records[baseline]["cells"][cell]
            best = min(other["cells"][cell]["median_ms"] for other in records.values())
            text = f"{own['median_ms']:.2f} ({own['min_ms']:.2f}; {told_spread(own)})"
            if name != baseline:
                text += f" {base['median_ms'] / own['median_ms']:.2f}x"
            if own["median_ms"] == best:
                text = f"**{text}**"
            row.append(text + (" *" if own["foreign_cores"] > DISTURBED_CORES else ""))
        lines.append(f"| {name} | " + " | ".join(row) + " |")
    return lines


def best_peer(records, value):
    """(value, name) of the peer whose value is least; None when there is no peer or we are not there."""
    peers = [(value(record), name) for name, record in records.items() if name != OURS]
    return min(peers) if peers and OURS in records else None


def ratio_table(result):
    """Ours against the best peer of each cell: above 1 is better."""
    lines = []
    for model, threads, records in blocks(result):
        if best_peer(records, lambda record: record["load_s"]) is None:
            continue
        cells = list(records[OURS]["cells"])
        if not lines:
            lines = ["| model | threads | " + " | ".join(cells) + " | load | first answer | peak memory |",
                     "|---" * (len(cells) + 5) + "|"]
        row = []
        for cell in cells:
            best, name = best_peer(records, lambda record: record["cells"][cell]["median_ms"])
            row.append(f"{best / records[OURS]['cells'][cell]['median_ms']:.2f} ({name})")
        for key in ("load_s", "first_ms", "peak_mib"):
            best, name = best_peer(records, lambda record: record[key])
            row.append(f"{best / max(records[OURS][key], 1e-9):.2f} ({name})")
        lines.append(f"| {model} | {threads} | " + " | ".join(row) + " |")
    return lines


def start_table(result):
    lines = ["| model | threads | engine | start s | load s | first answer ms | peak MiB | greatest difference |",
             "|---|---|---|---|---|---|---|---|"]
    for model, threads, records in blocks(result):
        for name, record in records.items():
            found = record["agreement"]
            lines.append(f"| {model} | {threads} | {name} | {record['start_s']:.2f} | {record['load_s']:.2f} | {record['first_ms']:.1f} | "
                         f"{record['peak_mib']:.0f} | {found['max_difference']:.1e} of {found['max_answer']:.3g} |")
    return lines


def markdown(result):
    about = result["environment"]
    lines = [
        f"CPU: {about['cpu']}, {about['cpus']} CPUs ({' '.join(about['isa'])}). "
        f"{'; '.join(about['versions'].values())}. Commit {about['commit']}, {about['date']}.",
        "", f"    {result['command']}", "",
        "Cells are batch x sequence: median ms (least ms; 10th to 90th percentile), and how many times the first engine's "
        "speed. "
        f"The fastest is bold; * marks a cell that other processes disturbed (more than {DISTURBED_CORES} cores).",
    ]
    for model, threads, records in blocks(result):
        lines += ["", f"### {model}, {threads} thread{'s' if threads > 1 else ''}", "", *speed_table(records)]
    lines += ["", "### Load, first answer (1x128), memory, and agreement with the first engine on a padded batch", "",
              *start_table(result)]
    ratios = ratio_table(result)
    if ratios:
        lines += ["", f"### {OURS} against the best peer of each cell (above 1: {OURS} is better)", "", *ratios]
    return "\n".join(lines) + "\n"


def plot(result, path):
    """One panel a model and thread count: the speed-up over the first engine, by cell."""
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    panels = list(blocks(result))
    columns = max(len(by_threads) for by_threads in result["results"].values())
    rows = len(result["results"])
    figure, axes = plt.subplots(rows, columns, figsize=(5.5 * columns, 3.2 * rows), squeeze=False, sharey=True)
    models = list(result["results"])
    for model, threads, records in panels:
        axis = axes[models.index(model)][list(result["results"][model]).index(str(threads))]
        baseline = next(iter(records))
        cells = list(records[baseline]["cells"])
        width = 0.8 / len(records)
        for i, (name, record) in enumerate(records.items()):
            ratios = [records[baseline]["cells"][c]["median_ms"] / record["cells"][c]["median_ms"] for c in cells]
            axis.bar([x + i * width for x in range(len(cells))], ratios, width, label=name, color=COLOURS.get(name))
        axis.set_xticks([x + 0.4 - width / 2 for x in range(len(cells))], cells)
        axis.set_title(f"{model}, {threads} thread{'s' if threads > 1 else ''}")
        axis.set_ylabel(f"speed / {baseline}")
        axis.axhline(1, color="black", linewidth=0.6)
    axes[0][0].legend(fontsize="small")
    figure.tight_layout()
    # Without the date: the same numbers give the same file.
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def main():
    for path in sys.argv[1:]:
        with open(path) as f:
            result = json.load(f)
        print(markdown(result))
        plot(result, os.path.splitext(path)[0] + ".svg")


if __name__ == "__main__":
    main()
