"""Every run ends with a report of its own."""

from __future__ import annotations


def test_a_run_leaves_a_report_with_what_its_callbacks_recorded_and_took(fxkit, small):
    watched = '\n[callbacks.rates]\ntype = "lr-monitor"\nevery = 2\n'
    path = fxkit.write("small.toml", small + watched)
    fxkit("run", path, "--out", "first", "--trace-hooks", check=True)
    page = (fxkit.folder / "first" / "report.html").read_text(encoding="utf-8")
    for wanted in ("Time in callbacks", "rates", "data:audio/flac", "12 steps", "resolved.toml", "SHA-256"):
        assert wanted in page, wanted


def test_a_report_cannot_be_written_over_a_folder(fxkit, small):
    path = fxkit.write("small.toml", small)
    fxkit("run", path, "--out", "first", check=True)
    kept = fxkit.folder / "taken" / "mine.txt"
    kept.parent.mkdir()
    kept.write_text("mine", encoding="utf-8")
    done = fxkit("eval", "first", "--report", "taken")
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert kept.read_text(encoding="utf-8") == "mine"
