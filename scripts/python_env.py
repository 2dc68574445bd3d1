"""The Python environments of the scripts: each a venv in the repository's root, made on first use and kept.

The system's Python is "externally managed" on Debian 12 and may lack numpy, so a script that needs packages calls
`enter(ENVIRONMENT)` before it imports any of them. A stamp holds the list of packages an environment was made from:
when the list changes, the environment is brought up to it; when it does not, entering costs one file read.
"""
import fcntl
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# Exported graphs change with the versions of torch and transformers, so those are exact. The runtimes that we compare
# against are exact too: a number in a table belongs to a version.
ENVIRONMENTS = {
    "models": [
        "torch==2.13.0",
        "transformers==5.23.0",
        "onnx==1.17.0",
        "onnxscript==0.7.2",
        "onnxruntime==1.31.1",
        "openvino==2026.4.1",
        "numpy",
        "matplotlib",
    ],
    "pip": [],
}


def directory(name):
    return os.path.join(ROOT, ".venv-" + name)


def interpreter(name):
    """The path of the environment's Python; makes the environment when it is missing or out of date."""
    packages = ENVIRONMENTS[name]
    folder = directory(name)
    python = os.path.join(folder, "bin", "python")
    stamp = os.path.join(folder, "packages.txt")
    wanted = "".join(package + "\n" for package in packages)
    with open(folder + ".lock", "w") as lock:
        # Two scripts started together would otherwise install into the same folder at once.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.path.exists(stamp) and open(stamp).read() == wanted:
            return python
        if not os.path.exists(python):
            base = getattr(sys, "_base_executable", None) or sys.executable
            subprocess.run([base, "-m", "venv", folder], check=True)
        if packages:
            subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True, stdout=sys.stderr)
        with open(stamp, "w") as f:
            f.write(wanted)
    return python


def enter(name):
    """Goes on in the environment: replaces this process unless it runs there already."""
    if os.path.realpath(sys.prefix) != os.path.realpath(directory(name)):
        python = interpreter(name)
        os.execv(python, [python, *sys.argv])


def pip():
    """A command that runs pip for downloads: this Python's own, or, where Debian left it out, that of a bare venv."""
    if subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True).returncode == 0:
        return [sys.executable, "-m", "pip"]
    return [interpreter("pip"), "-m", "pip"]
