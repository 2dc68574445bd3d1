#include "load/tensor_proto.h"

#include <gtest/gtest.h>

#include "base/half.h"
#include "base/onnx_dtype.h"
#include "onnx_model.h"
#include "op_tester.h"

namespace neural_engine {
namespace {

using onnx::TensorProto;
using testing::values;

Tensor parse(const TensorProto& proto) {
  const std::string bytes = proto.SerializeAsString();
  return parse_tensor_pb(std::as_bytes(std::span(bytes))).tensor;
}

TensorProto proto_of(int data_type, const std::vector<int64_t>& dims) {
  TensorProto proto;
  proto.set_data_type(data_type);
  for (int64_t dim : dims) proto.add_dims(dim);
  return proto;
}

TEST(TensorProto, ReadsEveryTypedField) {
  TensorProto proto = proto_of(TensorProto::FLOAT, {2});
  proto.add_float_data(1.5f);
  proto.add_float_data(-2);
  EXPECT_EQ(values<float>(parse(proto)), (std::vector<float>{1.5f, -2}));

  proto = proto_of(TensorProto::DOUBLE, {1});
  proto.add_double_data(1.25);
  EXPECT_EQ(values<double>(parse(proto)), (std::vector<double>{1.25}));

  proto = proto_of(TensorProto::INT64, {});
  proto.add_int64_data(-5);
  EXPECT_EQ(values<int64_t>(parse(proto)), (std::vector<int64_t>{-5}));

  proto = proto_of(TensorProto::UINT64, {1});
  proto.add_uint64_data(UINT64_MAX);
  EXPECT_EQ(values<uint64_t>(parse(proto)), (std::vector<uint64_t>{UINT64_MAX}));

  proto = proto_of(TensorProto::UINT32, {1});
  proto.add_uint64_data(UINT32_MAX);
  EXPECT_EQ(values<uint32_t>(parse(proto)), (std::vector<uint32_t>{UINT32_MAX}));

  proto = proto_of(TensorProto::INT8, {2});
  proto.add_int32_data(-128);
  proto.add_int32_data(127);
  EXPECT_EQ(values<int8_t>(parse(proto)), (std::vector<int8_t>{-128, 127}));

  proto = proto_of(TensorProto::BOOL, {2});
  proto.add_int32_data(1);
  proto.add_int32_data(0);
  EXPECT_EQ(values<bool>(parse(proto)), (std::vector<bool>{true, false}));

  proto = proto_of(TensorProto::FLOAT16, {1});
  proto.add_int32_data(0xc000);  // -2
  EXPECT_EQ(static_cast<float>(parse(proto).data<Half>()[0]), -2.f);

  proto = proto_of(22, {3});  // INT4: two to a byte
  proto.add_int32_data(0x21);
  proto.add_int32_data(0x0f);
  const Tensor nibbles = parse(proto);
  EXPECT_EQ(nibbles.dtype(), DType::kS4);
  EXPECT_EQ(static_cast<const uint8_t*>(nibbles.raw())[0], 0x21);
}

TEST(TensorProto, WritesWhatItReads) {
  for (int64_t code = 1; code <= 22; ++code) {
    const DType dtype = dtype_of_onnx(code);
    if (dtype == DType::kUndefined) continue;
    for (const Shape& shape : {Shape{}, Shape{3}, Shape{2, 3}, Shape{0, 4}}) {
      Tensor tensor(dtype, shape);
      for (size_t i = 0; i < tensor.bytes(); ++i) static_cast<uint8_t*>(tensor.raw())[i] = i % 2;
      const std::string bytes = serialize_tensor_pb(tensor, "name");
      const NamedTensor read = parse_tensor_pb(std::as_bytes(std::span(bytes)));
      EXPECT_EQ(read.name, "name");
      EXPECT_TRUE(equal_bytes(read.tensor, tensor)) << to_string(dtype) << to_string(shape);
    }
  }
}

TEST(TensorProto, WritesFiles) {
  const testing::TemporaryFolder folder;
  const std::string path = folder.path() + "/t.pb";
  const Tensor tensor = Tensor::of<float>({2}, {1, 2});
  write_tensor_pb(path, tensor, "t");
  EXPECT_TRUE(equal_bytes(read_tensor_pb(path).tensor, tensor));
}

TEST(TensorProto, BadOnesAreRefused) {
  const auto expect = [](const TensorProto& proto, const char* expected) {
    try {
      parse(proto);
      ADD_FAILURE() << "accepted, expected " << expected;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(expected), std::string::npos) << error.what();
    }
  };
  TensorProto proto = proto_of(TensorProto::INT8, {1});
  proto.add_int32_data(128);
  expect(proto, "element 0 is 128, which is not a s8");
  proto = proto_of(TensorProto::UINT8, {1});
  proto.add_int32_data(-1);
  expect(proto, "element 0 is -1, which is not a u8");
  proto = proto_of(TensorProto::UINT32, {1});
  proto.add_uint64_data(uint64_t{1} << 32);
  expect(proto, "element 0 is 4294967296, which is not a u32");
  proto = proto_of(TensorProto::BOOL, {1});
  proto.add_int32_data(2);
  expect(proto, "element 0 of a bool tensor is 2, expected 0 or 1");
  proto = proto_of(TensorProto::BOOL, {1});
  proto.set_raw_data("\x02");
  expect(proto, "element 0 of a bool tensor is 2, expected 0 or 1");
  proto = proto_of(21, {3});
  proto.add_int32_data(1);
  expect(proto, "int32_data holds 1 bytes, shape [3] of u4 takes 2");
  proto = proto_of(21, {2});
  proto.add_int32_data(256);
  expect(proto, "int32_data holds 256, not a byte");
}

TEST(TensorProto, AnEmptyTensorNeedsNoData) { EXPECT_EQ(parse(proto_of(TensorProto::FLOAT, {0, 3})).elems(), 0); }

TEST(TensorProto, ExternalDataAndGarbageAreRefused) {
  TensorProto proto = proto_of(TensorProto::FLOAT, {1});
  proto.set_data_location(TensorProto::EXTERNAL);
  EXPECT_THROW(parse(proto), Error);
  const std::string garbage = "\xff\xff\xff";
  EXPECT_THROW(parse_tensor_pb(std::as_bytes(std::span(garbage))), Error);
}

}  // namespace
}  // namespace neural_engine
