"""What a bench ran on, for whoever reads its figures."""

import os
import platform
import re
import subprocess
from pathlib import Path

import psutil

from stream_app.stack.java import find_java
from stream_app.stack.kafka_jars import kafka_version


def machine() -> dict[str, str | int | float]:
    """Return processor, cores, memory, system and versions."""
    java = subprocess.run(
        [find_java(os.environ.get("JAVA_HOME")), "-version"], capture_output=True, text=True, check=True
    )
    version = re.search(r'version "([^"]+)"', java.stderr)
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        "memory_gb": round(psutil.virtual_memory().total / 2**30),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "java": version[1] if version else "unknown",
        "kafka": kafka_version(),
        "load_before": round(os.getloadavg()[0], 1),
    }


def _processor() -> str:
    described = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*: (.*)", described.read_text()) if described.exists() else None
    return found[1] if found else platform.processor() or "unknown"
