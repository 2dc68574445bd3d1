#include "load/wire_scanner.h"

#include <gtest/gtest.h>

#include <cstring>

#include "onnx_model.h"

namespace neural_engine {
namespace {

StrippedModel strip(const std::string& bytes) { return strip_raw_data(std::as_bytes(std::span(bytes))); }

std::string text_of(std::span<const std::byte> bytes) {
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

TEST(WireScanner, KeepsAllButRawData) {
  onnx::ModelProto model = testing::relu_model();
  *model.mutable_graph()->add_initializer() = testing::float_tensor("w", {1000}, std::vector<float>(1000, 1.f));
  const std::string bytes = model.SerializeAsString();
  const StrippedModel stripped = strip(bytes);
  EXPECT_LT(stripped.message.size(), 300u);
  ASSERT_EQ(stripped.raw.size(), 1u);
  EXPECT_EQ(text_of(stripped.raw[0]), model.graph().initializer(0).raw_data());
  EXPECT_GE(reinterpret_cast<const char*>(stripped.raw[0].data()), bytes.data());  // a view

  onnx::ModelProto parsed;
  ASSERT_TRUE(parsed.ParseFromString(stripped.message));
  EXPECT_EQ(text_of(stripped.bytes_of(parsed.graph().initializer(0).raw_data())),
            model.graph().initializer(0).raw_data());
  *parsed.mutable_graph()->mutable_initializer(0)->mutable_raw_data() = model.graph().initializer(0).raw_data();
  EXPECT_EQ(parsed.SerializeAsString(), bytes);
}

// Tensors in attributes, bodies, functions and sparse tensors.
TEST(WireScanner, FindsRawDataAtEveryDepth) {
  onnx::ModelProto model = testing::empty_model();
  onnx::NodeProto* node = testing::add_node(model.mutable_graph(), "If", {"c"}, {"y"});
  onnx::GraphProto* body = testing::add_body(node, "then_branch");
  testing::set_attr(testing::add_node(body, "Constant", {}, {"k"}), "value", testing::float_tensor("", {1}, {1}));
  *body->add_sparse_initializer()->mutable_values() = testing::float_tensor("", {1}, {2});
  onnx::NodeProto* inner = model.add_functions()->add_node();
  testing::set_attr(inner, "value", testing::float_tensor("", {1}, {3}));
  const StrippedModel stripped = strip(model.SerializeAsString());
  EXPECT_EQ(stripped.raw.size(), 3u);
}

TEST(WireScanner, MalformedMessagesAreRefused) {
  const std::string cases[] = {
      "\x3a",                                                               // graph without a length
      "\x3a\x05",                                                           // graph of 5 bytes that are not there
      std::string("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12),  // a number of 11 bytes
      "\x08\x80",                                                           // a number without end
      "\x0d\x01\x02",                                                       // 4 bytes that are not there
      "\x09\x01\x02",                                                       // 8 bytes that are not there
      "\x0b\x0c",                                                           // a group
      std::string("\x00\x00", 2),                                           // field number 0
  };
  for (const std::string& bytes : cases) EXPECT_THROW(strip(bytes), Error);
}

TEST(WireScanner, NestingIsBounded) {
  // attribute.g.node.attribute.g ... within the model's graph
  std::string bytes;
  const auto wrap = [&](int field) {
    std::string length;
    for (size_t size = bytes.size();; size >>= 7) {
      length += static_cast<char>((size & 0x7f) | (size >= 0x80 ? 0x80 : 0));
      if (size < 0x80) break;
    }
    bytes = static_cast<char>(field << 3 | 2) + length + bytes;
  };
  for (int i = 0; i < 200; ++i) {
    for (int field : {6, 5, 1}) wrap(field);
  }
  wrap(7);
  EXPECT_THROW(strip(bytes), Error);
}

}  // namespace
}  // namespace neural_engine
