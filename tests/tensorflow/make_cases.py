#!/usr/bin/env python3
"""Makes TensorFlow models with TensorFlow's own answers.

    tests/tensorflow/make_cases.py --output tests/data/tensorflow [--only PART] [--onednn]

With --onednn the cases for which TensorFlow needs oneDNN (and an x86 CPU), without it all others.

Each case is a folder in the layout of the ONNX backend tests with model.pb (a frozen graph) or a SavedModel in place of
model.onnx; tests/run_zoo.py runs the engine over them. Needs tensorflow-cpu and onnx (made with 2.21.0 and 1.17.0).
"""
import argparse
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1" if "--onednn" in sys.argv else "0"
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import graphs  # noqa: E402
import model_cases  # noqa: E402
if "--onednn" in sys.argv:
    import onednn_cases  # noqa: E402,F401
else:
    import op_cases  # noqa: E402,F401


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", required=True)
    parser.add_argument("--only", default="", help="only cases with this in their name")
    parser.add_argument("--onednn", action="store_true")
    arguments = parser.parse_args()
    graphs.make(arguments.output, arguments.only)
    if not arguments.onednn:
        model_cases.make(arguments.output, arguments.only)


if __name__ == "__main__":
    main()
