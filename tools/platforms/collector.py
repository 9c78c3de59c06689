"""Reads files of spans with a real OpenTelemetry collector, as platforms do.

`make collector` runs its test. The program is `tools/go/collector`; building it takes minutes.
"""

import json
import subprocess
import time
from pathlib import Path
from typing import Any

from tools.platforms import real_tools
from tools.processes import fail

# It reads each file once, and writes what it read in the same form.
_CONFIG = """\
receivers:
  otlpjsonfile:
    include: [{files}]
    start_at: beginning
    include_file_name: false
    poll_interval: 100ms
exporters:
  file:
    path: {collected}
service:
  telemetry:
    metrics: {{level: none}}
  pipelines:
    traces:
      receivers: [otlpjsonfile]
      exporters: [file]
"""
_PATIENCE = 30.0


def collected(files: Path, lines: int, work: Path) -> list[dict[str, Any]]:
    """Return what the collector reads from *files*, a pattern such as `/tmp/traces/*.jsonl`.

    The collector stops after this number of *lines*. *work*: a directory for its files. Raises
    `Unavailable` with its log if it does not read them.
    """
    config, output, log = work / "config.yaml", work / "collected.jsonl", work / "log"
    config.write_text(_CONFIG.format(files=files, collected=output))
    program = real_tools.own_program("collector")
    deadline = time.monotonic() + _PATIENCE
    with log.open("wb") as file:
        process = subprocess.Popen((program, "--config", config), stdout=file, stderr=file)
        try:
            while process.poll() is None and time.monotonic() < deadline:
                if len(_lines(output)) >= lines:
                    break
                time.sleep(0.1)
        finally:
            process.terminate()
            process.wait()
    if len(_lines(output)) != lines:
        fail(f"The collector did not read {lines} lines of {files}. Its log:\n{log.read_text()}")
    return [json.loads(line) for line in _lines(output)]


def _lines(output: Path) -> list[str]:
    text = output.read_text(encoding="utf-8") if output.exists() else ""
    return [line for line in text.splitlines(keepends=True) if line.endswith("\n")]
