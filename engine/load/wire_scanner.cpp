// The protobuf wire format: a message is a sequence of fields; a field is a varint tag (number * 8 + wire type) and a
// varint (type 0), 8 bytes (1), a varint length with as many bytes (2) or 4 bytes (5). Types 3 and 4 (groups) are used
// neither by ONNX nor by TensorFlow. A varint has 7 bits a byte, low first, the top bit set on all bytes but the last,
// 10 bytes at most.
#include "load/wire_scanner.h"

#include <cstdint>
#include <cstring>

#include "base/error.h"

namespace neural_engine {

namespace {

// The message types on the way to the bytes of tensors: ONNX's, and TensorFlow's from kTfModel on.
enum class Message {
  kModel,
  kGraph,
  kNode,
  kAttribute,
  kFunction,
  kTraining,
  kSparse,
  kTensor,
  kTfModel,
  kTfMetaGraph,
  kTfGraph,
  kTfLibrary,
  kTfFunction,
  kTfNode,
  kTfAttrEntry,
  kTfAttr,
  kTfList,
  kTfFunctionName,
  kTfTensor,
  kNone
};

struct Edge {
  Message parent;
  uint64_t field;
  Message child;
};

constexpr Edge kEdges[] = {
    {Message::kModel, 7, Message::kGraph},          // graph
    {Message::kModel, 20, Message::kTraining},      // training_info
    {Message::kModel, 25, Message::kFunction},      // functions
    {Message::kTraining, 1, Message::kGraph},       // initialization
    {Message::kTraining, 2, Message::kGraph},       // algorithm
    {Message::kGraph, 1, Message::kNode},           // node
    {Message::kGraph, 5, Message::kTensor},         // initializer
    {Message::kGraph, 15, Message::kSparse},        // sparse_initializer
    {Message::kNode, 5, Message::kAttribute},       // attribute
    {Message::kFunction, 7, Message::kNode},        // node
    {Message::kFunction, 11, Message::kAttribute},  // attribute_proto
    {Message::kAttribute, 5, Message::kTensor},     // t
    {Message::kAttribute, 6, Message::kGraph},      // g
    {Message::kAttribute, 10, Message::kTensor},    // tensors
    {Message::kAttribute, 11, Message::kGraph},     // graphs
    {Message::kAttribute, 22, Message::kSparse},    // sparse_tensor
    {Message::kAttribute, 23, Message::kSparse},    // sparse_tensors
    {Message::kSparse, 1, Message::kTensor},        // values
    {Message::kSparse, 2, Message::kTensor},        // indices

    {Message::kTfModel, 2, Message::kTfMetaGraph},         // meta_graphs
    {Message::kTfMetaGraph, 2, Message::kTfGraph},         // graph_def
    {Message::kTfGraph, 1, Message::kTfNode},              // node
    {Message::kTfGraph, 2, Message::kTfLibrary},           // library
    {Message::kTfLibrary, 1, Message::kTfFunction},        // function
    {Message::kTfFunction, 3, Message::kTfNode},           // node_def
    {Message::kTfNode, 5, Message::kTfAttrEntry},          // attr, a map
    {Message::kTfAttrEntry, 2, Message::kTfAttr},          // the entry's value
    {Message::kTfAttr, 1, Message::kTfList},               // list
    {Message::kTfAttr, 8, Message::kTfTensor},             // tensor
    {Message::kTfAttr, 10, Message::kTfFunctionName},      // func
    {Message::kTfList, 8, Message::kTfTensor},             // tensor
    {Message::kTfList, 9, Message::kTfFunctionName},       // func
    {Message::kTfFunctionName, 2, Message::kTfAttrEntry},  // attr, a map
};

// The field that holds a tensor's bytes; 0: the message is no tensor.
uint64_t bytes_field(Message type) {
  if (type == Message::kTensor) return 9;    // TensorProto.raw_data
  if (type == Message::kTfTensor) return 4;  // tensor_content
  return 0;
}

constexpr int kMaxDepth = 100;             // protobuf's own limit
constexpr size_t kMaxMessage = INT32_MAX;  // protobuf's own limit
constexpr size_t kPaddedVarint = 5;        // bytes kept for a length below 2^31 that is not known yet
constexpr uint64_t kMaxFieldNumber = (1u << 29) - 1;

Message child_of(Message parent, uint64_t field) {
  for (const Edge& edge : kEdges) {
    if (edge.parent == parent && edge.field == field) return edge.child;
  }
  return Message::kNone;
}

class Scanner {
 public:
  explicit Scanner(StrippedModel& out) : out_(out) {}

  void scan(std::span<const std::byte> message, Message type, int depth) {
    if (depth > kMaxDepth) fail(Code::kInvalidModel, "messages are nested more than ", kMaxDepth, " deep");
    size_t at = 0;
    while (at < message.size()) {
      const size_t begin = at;
      const uint64_t tag = read_varint(message, at);
      const uint64_t field = tag >> 3;
      if (field == 0 || field > kMaxFieldNumber) fail(Code::kInvalidModel, "protobuf field number ", field, " found");
      if ((tag & 7) != 2) {
        skip_scalar(message, at, tag & 7);
        copy(message.subspan(begin, at - begin));
        continue;
      }
      const uint64_t length = read_varint(message, at);
      if (length > message.size() - at) {
        fail(Code::kInvalidModel, "the file is truncated or malformed: a field claims ", length, " bytes, ",
             message.size() - at, " are left");
      }
      const std::span<const std::byte> body = message.subspan(at, static_cast<size_t>(length));
      at += body.size();
      const Message child = child_of(type, field);
      if (field == bytes_field(type)) {
        put_token(tag, body);
      } else if (child != Message::kNone) {
        put_message(tag, body, child, depth);
      } else {
        copy(message.subspan(begin, at - begin));
      }
    }
  }

  static WireField skip_field(std::span<const std::byte> message, size_t& at) {
    const uint64_t tag = read_varint(message, at);
    const WireField field{tag >> 3, static_cast<int>(tag & 7)};
    if (field.wire_type != 2) {
      skip_scalar(message, at, tag & 7);
      return field;
    }
    const uint64_t length = read_varint(message, at);
    if (length > message.size() - at) fail(Code::kInvalidModel, "the file is truncated or malformed");
    at += static_cast<size_t>(length);
    return field;
  }

 private:
  static uint64_t read_varint(std::span<const std::byte> bytes, size_t& at) {
    uint64_t value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
      if (at == bytes.size()) fail(Code::kInvalidModel, "the file is truncated or malformed: a number has no end");
      const uint64_t byte = std::to_integer<uint64_t>(bytes[at++]);
      value |= (byte & 0x7f) << (shift < 64 ? shift : 63);
      if (byte < 0x80) return value;
    }
    fail(Code::kInvalidModel, "the file is malformed: a number has more than 10 bytes");
  }

  static void skip_scalar(std::span<const std::byte> bytes, size_t& at, uint64_t wire_type) {
    if (wire_type == 0) {
      read_varint(bytes, at);
      return;
    }
    if (wire_type != 1 && wire_type != 5) {
      fail(Code::kInvalidModel, "the file is malformed: protobuf wire type ", wire_type, " found");
    }
    const size_t size = wire_type == 1 ? 8 : 4;
    if (size > bytes.size() - at) fail(Code::kInvalidModel, "the file is truncated or malformed: a field has no end");
    at += size;
  }

  void copy(std::span<const std::byte> bytes) {
    if (out_.message.size() > kMaxMessage || bytes.size() > kMaxMessage - out_.message.size()) {
      fail(Code::kUnsupported, "the model holds 2 GiB or more besides raw tensor data, less is supported");
    }
    out_.message.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }

  void put_varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) out_.message.push_back(static_cast<char>(value | 0x80));
    out_.message.push_back(static_cast<char>(value));
  }

  void put_token(uint64_t tag, std::span<const std::byte> body) {
    const uint32_t index = static_cast<uint32_t>(out_.raw.size());
    out_.raw.push_back(body);
    put_varint(tag);
    put_varint(sizeof index);
    copy(std::as_bytes(std::span(&index, 1)));
  }

  // The length is written after the body, into a varint padded to its greatest size, so that nothing moves.
  void put_message(uint64_t tag, std::span<const std::byte> body, Message type, int depth) {
    put_varint(tag);
    const size_t length_at = out_.message.size();
    out_.message.append(kPaddedVarint, '\0');
    scan(body, type, depth + 1);
    size_t length = out_.message.size() - length_at - kPaddedVarint;
    for (size_t i = 0; i < kPaddedVarint; ++i, length >>= 7) {
      out_.message[length_at + i] = static_cast<char>((length & 0x7f) | (i + 1 < kPaddedVarint ? 0x80 : 0));
    }
  }

  StrippedModel& out_;
};

}  // namespace

std::span<const std::byte> StrippedModel::bytes_of(const std::string& token) const {
  uint32_t index = 0;
  if (token.size() != sizeof index) fail(Code::kInternal, "raw data without a token");
  std::memcpy(&index, token.data(), sizeof index);
  if (index >= raw.size()) fail(Code::kInternal, "raw data with a token out of range");
  return raw[index];
}

StrippedModel strip_raw_data(std::span<const std::byte> model, WireFormat format) {
  StrippedModel result;
  const Message root = format == WireFormat::kOnnxModel      ? Message::kModel
                       : format == WireFormat::kTfSavedModel ? Message::kTfModel
                                                             : Message::kTfGraph;
  Scanner(result).scan(model, root, 0);
  return result;
}

std::vector<WireField> top_level_fields(std::span<const std::byte> message, size_t limit) {
  std::vector<WireField> result;
  for (size_t at = 0; at < message.size() && result.size() < limit;) result.push_back(Scanner::skip_field(message, at));
  return result;
}

}  // namespace neural_engine
