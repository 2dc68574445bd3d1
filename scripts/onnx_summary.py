"""Which operators a model.onnx has, read with the standard library alone.

The scripts of the normal test command run where no Python package is installed, so this walks protobuf's wire format:
a message is a run of (field number, wire type) keys, and what is not asked for is skipped by its wire type.
"""
import dataclasses

# Field numbers of onnx.proto.
MODEL_GRAPH, MODEL_OPSET, MODEL_FUNCTION = 7, 8, 25
OPSET_DOMAIN, OPSET_VERSION = 1, 2
GRAPH_NODE, FUNCTION_NODE = 1, 7
NODE_ATTRIBUTE, NODE_OP_TYPE, NODE_DOMAIN = 5, 4, 7
ATTRIBUTE_GRAPH, ATTRIBUTE_GRAPHS = 6, 11


@dataclasses.dataclass(frozen=True)
class Summary:
    opsets: dict  # domain -> version; "" is ONNX's own
    operators: list  # sorted [domain, op_type] pairs, those of subgraphs and functions included


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def fields(data):
    """(field number, value) pairs: bytes for a length-delimited field, an integer for a varint, None for the rest."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        kind = key & 7
        value = None
        if kind == 0:
            value, at = varint(data, at)
        elif kind == 2:
            size, at = varint(data, at)
            value = data[at:at + size]
            at += size
        elif kind in (1, 5):
            at += 8 if kind == 1 else 4
        else:
            raise ValueError(f"wire type {kind} at byte {at}: no ONNX model")
        yield key >> 3, value


def walk_node(data, found):
    domain, op_type = "", ""
    for number, value in fields(data):
        if number == NODE_OP_TYPE:
            op_type = bytes(value).decode()
        elif number == NODE_DOMAIN:
            domain = bytes(value).decode()
        elif number == NODE_ATTRIBUTE:
            for part, inner in fields(value):
                if part in (ATTRIBUTE_GRAPH, ATTRIBUTE_GRAPHS):
                    walk_nodes(inner, GRAPH_NODE, found)
    # "ai.onnx" is the other name of the default domain.
    found.add(("" if domain == "ai.onnx" else domain, op_type))


def walk_nodes(data, node_field, found):
    for number, value in fields(data):
        if number == node_field:
            walk_node(value, found)


def summarize(path):
    with open(path, "rb") as f:
        data = memoryview(f.read())
    opsets, found = {}, set()
    for number, value in fields(data):
        if number == MODEL_GRAPH:
            walk_nodes(value, GRAPH_NODE, found)
        elif number == MODEL_FUNCTION:
            walk_nodes(value, FUNCTION_NODE, found)
        elif number == MODEL_OPSET:
            parts = dict(fields(value))
            domain = bytes(parts.get(OPSET_DOMAIN, b"")).decode()
            opsets["" if domain == "ai.onnx" else domain] = parts.get(OPSET_VERSION, 0)
    return Summary(opsets, sorted(found))
