#!/usr/bin/env python3
"""Makes what the fuzz targets of TensorFlow's files start from, out of the cases beside.

    tests/tensorflow/make_corpus.py [--cases tests/data/tensorflow] [--output tests/fuzz/corpus]

Standard library only. The bytes of variables are not in the inputs: the fuzzer has a shard of zeros, so the index is
written anew, with the checksum of as many zeros.
"""
import argparse
import os
import struct

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
GRAPHS = ["control_switch", "control_while_v1", "op_binary", "op_convolutions", "op_gather", "op_norms", "op_parts",
          "op_products", "op_quantize", "op_quantized_product", "op_segments", "op_shapes", "qat_frozen"]
MODELS = ["control_flow_v2", "dlrm_saved_model", "qat_saved_model", "v1_reference_variables", "v1_resource_variables",
          "keras_lstm"]
MAGIC = 0xDB4775248B80FB57


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(data):
    crc = crc32c(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def read_varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))


def fields(message):
    at = 0
    while at < len(message):
        tag, at = read_varint(message, at)
        begin = at
        if tag & 7 == 0:
            value, at = read_varint(message, at)
        elif tag & 7 == 2:
            size, at = read_varint(message, at)
            value, at = message[at:at + size], at + size
        else:
            at += 8 if tag & 7 == 1 else 4
            value = message[begin:at]
        yield tag, value


def zeroed(entry):
    """A bundle's entry for zeros at the shard's begin."""
    size = dict(fields(entry)).get(5 << 3, 0)
    out = b""
    for tag, value in fields(entry):
        if tag == 4 << 3:  # offset
            continue
        if tag == 6 << 3 | 5:  # checksum
            value = struct.pack("<I", masked(bytes(size)))
        out += varint(tag) + (varint(value) if tag & 7 == 0 else
                              varint(len(value)) + value if tag & 7 == 2 else value)
    return out


def entries(block):
    restarts = struct.unpack("<I", block[-4:])[0]
    at, key, end = 0, b"", len(block) - 4 - 4 * restarts
    while at < end:
        (shared, at), key_was = read_varint(block, at), key
        more, at = read_varint(block, at)
        size, at = read_varint(block, at)
        key = key_was[:shared] + block[at:at + more]
        yield key, block[at + more:at + more + size]
        at += more + size


def read_index(path):
    with open(path, "rb") as f:
        data = f.read()

    def block(handle):
        offset, at = read_varint(handle, 0)
        size, _ = read_varint(handle, at)
        assert data[offset + size] == 0, "the block is compressed"
        return data[offset:offset + size]

    footer = data[-48:]
    at = 0
    for _ in range(2):
        _, at = read_varint(footer, at)
    return [pair for _, handle in entries(block(footer[at:])) for pair in entries(block(handle))]


def write_index(pairs):
    def entry(key, value):
        return varint(0) + varint(len(key)) + varint(len(value)) + key + value

    out = b""

    def put(block):
        nonlocal out
        block += struct.pack("<I", 0)
        handle = varint(len(out)) + varint(len(block))
        block += b"\0"
        out += block + struct.pack("<I", masked(block))
        return handle

    data, information = put(b"".join(entry(k, v) for k, v in pairs)), put(b"")
    footer = information + put(entry(b"\xff", data))
    return out + footer.ljust(40, b"\0") + struct.pack("<Q", MAGIC)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", default=os.path.join(ROOT, "tests", "data", "tensorflow"))
    parser.add_argument("--output", default=os.path.join(ROOT, "tests", "fuzz", "corpus"))
    arguments = parser.parse_args()

    def write(target, name, data):
        folder = os.path.join(arguments.output, target)
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, name), "wb") as f:
            f.write(data)

    def read(*path):
        with open(os.path.join(arguments.cases, *path), "rb") as f:
            return f.read()

    for name in GRAPHS:
        write("tensorflow", name + ".pb", read(name, "model.pb"))
    for name in MODELS:
        model = read(name, "saved_model.pb")
        pairs = read_index(os.path.join(arguments.cases, name, "variables", "variables.index"))
        index = write_index([(key, zeroed(value) if key else value) for key, value in pairs])
        write("saved_model", name, struct.pack("<I", len(model)) + model + index)
        write("table_file", name + ".index", index)
    write("table_file", "literal_and_copy.snappy", b"\x0a\x04ab\x11\x02")
    write("table_file", "long_literal.snappy", b"\x64\xf0\x63" + b"x" * 100)


if __name__ == "__main__":
    main()
