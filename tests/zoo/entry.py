"""What one entry of the zoo's tables says, and the variants in which it is exported."""
import dataclasses
from typing import Callable

import torch


@dataclasses.dataclass(frozen=True)
class Variant:
    """One way to export: by which exporter, to which opset, and how transformers' attention is written."""
    exporter: str  # "script" (torch.jit.trace and symbolic functions) or "dynamo" (torch.export)
    opset: int
    attention: str = "eager"  # "eager" spells attention out, "sdpa" calls scaled_dot_product_attention

    def suffix(self):
        return f"{self.exporter}{self.opset}" + ("_sdpa" if self.attention == "sdpa" else "")


# Every network in all of these: the opsets where what the TorchScript exporter writes changes (11: first with dynamic
# Pad and Slice; 13: axes become inputs; 14: Reshape's allowzero, first with sdpa; 17: LayerNormalization), and dynamo's
# native 18 and one of its conversions (20: Gelu).
ALL_VARIANTS = (
    Variant("script", 11), Variant("script", 13), Variant("script", 14, "sdpa"), Variant("script", 17),
    Variant("script", 17, "sdpa"), Variant("dynamo", 18, "sdpa"), Variant("dynamo", 20),
)
# A head differs from its body by a few nodes: once with each exporter.
HEAD_VARIANTS = (Variant("script", 14), Variant("dynamo", 18, "sdpa"))
# Networks without a choice of attention.
PLAIN_VARIANTS = (
    Variant("script", 11), Variant("script", 13), Variant("script", 17), Variant("dynamo", 18), Variant("dynamo", 20),
)


@dataclasses.dataclass(frozen=True)
class Entry:
    """A network with random weights, how to feed it, and which of its axes stay free in the export."""
    name: str
    make: Callable[[str], torch.nn.Module]  # attention -> network; its forward returns a dict of tensors
    inputs: Callable[[tuple, torch.Generator], dict]  # shape -> {name: tensor}, in forward's order
    axes: dict  # input or output name -> {axis: name}
    outputs: tuple  # names, in order
    variants: tuple
    shapes: tuple = ((3, 12), (1, 7))  # of the data sets
    example: tuple = (2, 9)  # what the exporter sees: no data set has it, so a baked-in size shows


class ByPosition(torch.nn.Module):
    """Calls a network by keyword and returns a tuple: the form that both exporters take."""

    def __init__(self, network, inputs, outputs):
        super().__init__()
        self.network = network
        self.input_names = inputs
        self.output_names = outputs

    def forward(self, *arguments):
        answers = self.network(**dict(zip(self.input_names, arguments)))
        return tuple(answers[name] for name in self.output_names)


def randomize(network, seed):
    """Weights that make mistakes visible: a fresh network's (0.02 * randn) leave attention uniform, so that a wrong
    mask or a wrong scale would hardly move the answer. Matrices keep the norm of their input, vectors move by 0.1."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for value in network.parameters():
            noise = torch.randn(value.shape, generator=generator)
            if value.dim() >= 2:
                fan_in = value[0].numel()
                value.copy_(noise / fan_in**0.5)
            else:
                value.add_(0.1 * noise)
    return network.eval()


PADDING, END = 1, 2  # token ids


def token_batch(shape, generator, vocabulary):
    """Ids and a mask. All rows but the first end in padding, of a length that differs by row; the last token before
    it is the end token, which some classifiers read their answer at."""
    rows, length = shape
    ids = torch.randint(3, vocabulary, (rows, length), generator=generator)
    mask = torch.ones_like(ids)
    for row in range(rows):
        kept = length - (row * 3 % length)
        ids[row, kept - 1] = END
        ids[row, kept:] = PADDING
        mask[row, kept:] = 0
    return ids, mask
