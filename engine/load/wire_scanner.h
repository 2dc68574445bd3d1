// Keeps the weights of an ONNX or TensorFlow file out of protobuf's hands.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace neural_engine {

// A serialized model whose tensors' bytes (TensorProto.raw_data, TensorFlow's tensor_content, at every depth) are a
// token: the little-endian 32-bit index into `raw`, whose spans view the bytes that were given. Some kilobytes thus
// stand for a model of gigabytes, and files over protobuf's limit of 2 GiB can be read.
struct StrippedModel {
  std::string message;
  std::vector<std::span<const std::byte>> raw;

  // The bytes of a raw_data field of the stripped message.
  std::span<const std::byte> bytes_of(const std::string& token) const;
};

// Checks the wire format on the paths it walks (lengths, tags, nesting); what it does not walk is copied as it is and
// left to protobuf. Error(kInvalidModel) for a malformed message.
enum class WireFormat { kOnnxModel, kTfGraph, kTfSavedModel };
StrippedModel strip_raw_data(std::span<const std::byte> model, WireFormat format = WireFormat::kOnnxModel);

// The number and wire type of each field of a message (not of those within), at most `limit` of them: what tells one
// kind of file from another. Error(kInvalidModel) for a malformed message.
struct WireField {
  uint64_t number;
  int wire_type;
};
std::vector<WireField> top_level_fields(std::span<const std::byte> message, size_t limit);

}  // namespace neural_engine
