"""A report in few words: for the Prefect page, and for who ran the command."""

from __future__ import annotations

from manifests.report import DubReport
from tasks.gate import told
from tasks.report import concern
from tasks.report_page import figures

_LINES = 10


def markdown(report: DubReport) -> str:
    """The measures, what the gate found and the lines that most want a look, as Markdown."""
    rows = [f"| {each.name} | {each.value} | {plain(each.about)} |" for each in figures(report)]
    parts = [
        f"## {plain(report.title)}, {report.source_language} to {report.language}",
        "\n".join(["| measure | figure | |", "|---|---|---|", *rows]),
    ]
    if report.gate is not None:
        verdict = "passed" if report.gate.passed else "did not pass"
        failures = [f"- {told(each)}" for each in report.gate.failures]
        parts.append("\n".join([f"**The gate ({report.gate.preset}): {verdict}.**", "", *failures]))
    worst = sorted((line for line in report.lines if line.warnings), key=concern, reverse=True)[:_LINES]
    if worst:
        lines = [
            f"| {line.source_span.start_s:.1f} s | {plain(line.translation)} | {plain('; '.join(line.warnings))} |"
            for line in worst
        ]
        parts.append("\n".join(["| at | line | why it wants a look |", "|---|---|---|", *lines]))
    return "\n\n".join(parts) + "\n"


def plain(text: str) -> str:
    """Text that Markdown leaves as it is, inside a table."""
    return "".join(f"\\{letter}" if letter in "\\`*_{}[]<>#|~" else letter for letter in text).replace("\n", " ")
