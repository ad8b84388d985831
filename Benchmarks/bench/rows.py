"""What a run measures: a row of the table against the peers, or one for each variant of Sallyport."""

import dataclasses
import statistics
import typing

REQUESTS = ("us CPU a request", "requests a second")
CONNECTIONS = ("us CPU a connection", "connections a second")


@dataclasses.dataclass(frozen=True)
class Row:
    """`measure(bench)` returns for each contender what each round gave: pairs of figures, of which the first is judged."""

    measure: typing.Callable
    units: tuple[str, str] = REQUESTS
    # The most that the ratio may be; with a baseline by variant, where the goal is not for all of them.
    goal: float | dict | None = None
    # For variants of Sallyport the one that the others are compared with; without it, the better peer is.
    baseline: str | None = None

    def result(self, rounds):
        """Medians by contender, and ratios with their goals by whoever is judged."""
        figures = {name: [statistics.median(column) for column in zip(*pairs)] for name, pairs in rounds.items()}
        if self.baseline is None:
            best = min(figure[0] for name, figure in figures.items() if name != "sallyport")
            ratios = {"sallyport": figures["sallyport"][0] / best}
        else:
            # Variants differ by a few per cent, which is less than the machine does from minute to minute: what one round measured is
            # compared with what it measured beside it.
            ratios = {name: statistics.median(own[0] / base[0] for own, base in zip(pairs, rounds[self.baseline]))
                      for name, pairs in rounds.items() if name != self.baseline}
        goals = {name: self.goal.get(name) if isinstance(self.goal, dict) else self.goal for name in ratios}
        return {"units": self.units, "baseline": self.baseline, "figures": figures, "ratios": ratios, "goals": goals, "rounds": rounds}


PEERS = ("nginx", "haproxy", "apache", "sallyport")


def table(results):
    """The rows against peers, and below them the variants."""
    lines = ["| work | nginx | HAProxy | Apache | Sallyport | ratio | goal |", "|---|---|---|---|---|---|---|"]
    for name, result in results.items():
        if result["baseline"] is None:
            cells = [_cell(result["figures"].get(peer)) for peer in PEERS]
            lines.append(f"| {_title(name, result)} | " + " | ".join(cells) + f" | {_ratio(result, 'sallyport')} |")
    lines += ["", "| work | variant | Sallyport | ratio | goal |", "|---|---|---|---|---|"]
    for name, result in results.items():
        if result["baseline"] is not None:
            for variant, figures in result["figures"].items():
                lines.append(f"| {_title(name, result)} | {variant} | {_cell(figures)} | {_ratio(result, variant)} |")
    return "\n".join(lines)


def _title(name, result):
    return f"{name}, {result['units'][0]} ({result['units'][1]})"


def _cell(figures):
    return "" if figures is None else f"{figures[0]:,.1f} ({figures[1]:,.0f})"


def _ratio(result, name):
    ratio, goal = (result[of].get(name) for of in ("ratios", "goals"))
    return " | ".join("" if number is None else f"{number:.2f}" for number in (ratio, goal))
