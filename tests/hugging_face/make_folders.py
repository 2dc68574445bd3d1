#!/usr/bin/env python3
"""Makes tiny Hugging Face folders with random weights, and torch's answers beside them.

    tests/hugging_face/make_folders.py --output tests/data/hugging_face

Needs torch and transformers (made with 2.13.0 and 5.23.0). tests/run_zoo.py --zoo tests/data/hugging_face runs the engine over them.
"""
import argparse
import json
import os
import shutil
import sys

import torch
import transformers
from transformers import AutoConfig

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "scripts"))
from onnx_case import write_data_sets  # noqa: E402

SIZES = dict(vocab_size=40, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=24,
             max_position_embeddings=24, num_labels=3)
DISTIL = dict(vocab_size=40, dim=16, n_layers=2, n_heads=2, hidden_dim=24, max_position_embeddings=24, num_labels=3)

# Folder, class, model_type, settings, storage, pooling ("" is none).
FOLDERS = (
    ("bert", "BertModel", "bert", SIZES, torch.float32, ""),
    ("bert_classify", "BertForSequenceClassification", "bert", SIZES, torch.float32, ""),
    ("bert_sharded", "BertModel", "bert", SIZES, torch.float32, ""),
    ("bert_tag_f16", "BertForTokenClassification", "bert", SIZES, torch.float16, ""),
    ("bert_answer", "BertForQuestionAnswering", "bert", dict(SIZES, num_labels=2), torch.float32, ""),
    ("roberta_classify", "RobertaForSequenceClassification", "roberta", dict(SIZES, type_vocab_size=1), torch.float32, ""),
    ("xlm_roberta_bf16", "XLMRobertaModel", "xlm-roberta", dict(SIZES, type_vocab_size=1), torch.bfloat16, ""),
    ("distilbert_classify", "DistilBertForSequenceClassification", "distilbert", DISTIL, torch.float32, ""),
    ("electra_classify", "ElectraForSequenceClassification", "electra", dict(SIZES, embedding_size=8), torch.float32, ""),
    ("mpnet", "MPNetModel", "mpnet", SIZES, torch.float32, ""),
    ("bert_mean", "BertModel", "bert", dict(SIZES, hidden_act="gelu_new"), torch.float32, "mean"),
    ("bert_cls", "BertModel", "bert", dict(SIZES, hidden_act="relu"), torch.float32, "cls"),
    ("mpnet_max", "MPNetModel", "mpnet", SIZES, torch.float32, "max"),
)


def modules(folder, pooling):
    kinds = ["Transformer", "Pooling"] + (["Normalize"] if pooling == "mean" else [])
    paths = {"Transformer": "", "Pooling": "1_Pooling", "Normalize": "2_Normalize"}
    listed = [{"idx": i, "name": str(i), "path": paths[kind], "type": "sentence_transformers.models." + kind}
              for i, kind in enumerate(kinds)]
    with open(os.path.join(folder, "modules.json"), "w") as f:
        json.dump(listed, f)
    os.makedirs(os.path.join(folder, "1_Pooling"))
    names = {"cls": "cls_token", "mean": "mean_tokens", "max": "max_tokens"}
    with open(os.path.join(folder, "1_Pooling", "config.json"), "w") as f:
        json.dump({"word_embedding_dimension": 16,
                   **{"pooling_mode_" + name: kind == pooling for kind, name in names.items()}}, f)


def pooled(states, mask, pooling):
    if pooling == "cls":
        return states[:, 0]
    counts = mask.unsqueeze(-1).float()
    if pooling == "max":
        return states.masked_fill(counts == 0, -1e9).max(1).values
    mean = (states * counts).sum(1) / counts.sum(1).clamp(min=1e-9)
    return torch.nn.functional.normalize(mean, p=2, dim=1)


def make(name, kind, model_type, settings, dtype, pooling, output):
    torch.manual_seed(sum(map(ord, name)))
    folder = os.path.join(output, name)
    shutil.rmtree(folder, ignore_errors=True)
    config = AutoConfig.for_model(model_type, **settings)
    model = getattr(transformers, kind)(config).eval()
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            # As large as those of trained models, so that a wrong mask or place moves the answers.
            parameter.copy_(torch.randn_like(parameter) * 0.3 + (1.0 if "norm" in key.lower() and "weight" in key else 0))
    model = model.to(dtype)
    # One folder comes in two files and a list of what is where.
    model.save_pretrained(folder, **({"max_shard_size": "16KB"} if name.endswith("_sharded") else {}))
    model = model.float()
    if pooling:
        modules(folder, pooling)
    sets = []
    padding = getattr(config, "pad_token_id", 0) or 0
    for rows, columns in ((1, 7), (2, 11)):
        ids = torch.randint(3, 40, (rows, columns))
        mask = torch.ones_like(ids)
        if rows > 1:
            ids[1, 5:], mask[1, 5:] = padding, 0
        inputs = {"input_ids": ids, "attention_mask": mask}
        if model_type in ("bert", "electra"):
            inputs["token_type_ids"] = torch.randint(0, 2, (rows, columns))
        with torch.no_grad():
            answer = model(**inputs)
        if pooling:
            states = answer.last_hidden_state
            outputs = {"sentence_embedding": pooled(states, mask, pooling), "last_hidden_state": states}
        else:
            keys = [key for key in ("last_hidden_state", "logits", "start_logits", "end_logits") if key in answer]
            outputs = {key: answer[key] for key in keys}
        sets.append(({k: v.numpy() for k, v in inputs.items()}, {k: v.numpy() for k, v in outputs.items()}))
    write_data_sets(folder, sets)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()
    for row in FOLDERS:
        make(*row, arguments.output)
    print(f"{len(FOLDERS)} folders made")


if __name__ == "__main__":
    main()
