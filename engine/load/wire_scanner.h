// Keeps the weights of an ONNX file out of protobuf's hands.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace neural_engine {

// A serialized ModelProto whose raw_data fields (TensorProto.raw_data, at every depth) hold no bytes but a token: the
// little-endian 32-bit index into `raw`, whose spans view the bytes that were given. Some kilobytes thus stand for a
// model of gigabytes, and files over protobuf's limit of 2 GiB can be read.
struct StrippedModel {
  std::string message;
  std::vector<std::span<const std::byte>> raw;

  // The bytes of a raw_data field of the stripped message.
  std::span<const std::byte> bytes_of(const std::string& token) const;
};

// Checks the wire format on the paths it walks (lengths, tags, nesting); what it does not walk is copied as it is and
// left to protobuf. Error(kInvalidModel) for a malformed message.
StrippedModel strip_raw_data(std::span<const std::byte> model);

}  // namespace neural_engine
