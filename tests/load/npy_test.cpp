#include "load/npy.h"

#include <gtest/gtest.h>

#include "onnx_model.h"
#include "op_tester.h"

namespace neural_engine {
namespace {

using testing::values;

std::string npy(const std::string& header, const std::string& elements, char version = 1) {
  std::string result = "\x93NUMPY";
  result += {version, '\0', static_cast<char>(header.size() & 0xff), static_cast<char>(header.size() >> 8)};
  if (version > 1) result += {'\0', '\0'};
  return result + header + elements;
}

Tensor parse(const std::string& bytes) { return parse_npy(std::as_bytes(std::span(bytes))); }

template <class T>
std::string raw(const std::vector<T>& list) {
  return std::string(reinterpret_cast<const char*>(list.data()), list.size() * sizeof(T));
}

TEST(Npy, ReadsWhatNumPyWrites) {
  const std::string elements = raw<float>({1, 2, 3, 4, 5, 6});
  for (char version : {'\1', '\2', '\3'}) {
    const Tensor tensor =
        parse(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }      \n", elements, version));
    EXPECT_EQ(tensor.shape(), (Shape{2, 3}));
    EXPECT_EQ(values<float>(tensor), (std::vector<float>{1, 2, 3, 4, 5, 6}));
  }
  EXPECT_EQ(parse(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (), }\n", raw<float>({1}))).rank(), 0);
  EXPECT_EQ(parse(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (0,), }\n", "")).elems(), 0);
  EXPECT_EQ(parse(npy("{'shape': (1,), 'fortran_order': True, 'descr': '|b1'}", "\1")).dtype(), DType::kBool);
}

TEST(Npy, ConvertsFortranOrder) {
  const Tensor matrix =
      parse(npy("{'descr': '<i4', 'fortran_order': True, 'shape': (2, 3), }\n", raw<int32_t>({0, 3, 1, 4, 2, 5})));
  EXPECT_EQ(values<int32_t>(matrix), (std::vector<int32_t>{0, 1, 2, 3, 4, 5}));
  // element [a,b,c] is 100a + 10b + c
  std::vector<int16_t> column_major;
  for (int c = 0; c < 2; ++c) {
    for (int b = 0; b < 3; ++b) {
      for (int a = 0; a < 2; ++a) column_major.push_back(static_cast<int16_t>(100 * a + 10 * b + c));
    }
  }
  const Tensor cube = parse(npy("{'descr': '<i2', 'fortran_order': True, 'shape': (2, 3, 2), }\n", raw(column_major)));
  EXPECT_EQ(values<int16_t>(cube), (std::vector<int16_t>{0, 1, 10, 11, 20, 21, 100, 101, 110, 111, 120, 121}));
}

TEST(Npy, WritesWhatItReads) {
  for (DType dtype : {DType::kF64, DType::kF32, DType::kF16, DType::kS64, DType::kS32, DType::kS16, DType::kS8,
                      DType::kU64, DType::kU32, DType::kU16, DType::kU8, DType::kBool}) {
    for (const Shape& shape : {Shape{}, Shape{3}, Shape{2, 3}, Shape{0, 4}}) {
      Tensor tensor(dtype, shape);
      for (size_t i = 0; i < tensor.bytes(); ++i) static_cast<uint8_t*>(tensor.raw())[i] = i % 2;
      const std::string bytes = serialize_npy(tensor);
      EXPECT_EQ((bytes.size() - tensor.bytes()) % 64, 0u);
      EXPECT_TRUE(equal_bytes(parse(bytes), tensor)) << to_string(dtype) << to_string(shape);
    }
  }
}

TEST(Npy, WritesFiles) {
  const testing::TemporaryFolder folder;
  const Tensor tensor = Tensor::of<float>({2}, {1, 2});
  write_npy(folder.path() + "/t.npy", tensor);
  EXPECT_TRUE(equal_bytes(read_npy(folder.path() + "/t.npy"), tensor));
}

TEST(Npy, BadOnesAreRefused) {
  const std::string good = "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }\n";
  const std::string one = raw<float>({1});
  const struct {
    std::string bytes;
    const char* message;
  } cases[] = {
      {"", "does not begin with the mark"},
      {"NUMPY", "does not begin with the mark"},
      {npy(good, one, 4), ".npy version 4.0 found"},
      {npy(good, one).substr(0, 9), "header is truncated"},
      {npy(good, one).substr(0, 30), "header claims"},
      {npy(good, ""), "the file holds 0 bytes of elements, shape [1] of f32 takes 4"},
      {npy(good, one + one), "the file holds 8 bytes of elements"},
      {npy("{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }", one), "descr '>f4' found"},
      {npy("{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", one), "descr '<c8' found"},
      {npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", one), "descr '|O' found"},
      {npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", one), "structured arrays"},
      {npy("{'descr': '<f4', 'fortran_order': 0, 'shape': (1,), }", one), "expected True or False"},
      {npy("{'descr': '<f4', 'fortran_order': False, }", one), "'shape' is missing"},
      {npy("{'descr': '<f4', 'descr': '<f4', }", one), "key 'descr' is unknown or given twice"},
      {npy("{'descr': '<f4', 'other': True, }", one), "key 'other' is unknown"},
      {npy("{'descr': '<f4", one), "a string has no end"},
      {npy("[]", one), "expected '{'"},
      {npy(good + "x", one), "something follows"},
      {npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", one), "expected a dimension"},
      {npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1 2), }", one), "expected ')'"},
      {npy("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", one), "a dimension"},
      {npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4), }", one), "overflows"},
      {npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,), }", one), "takes 4000000000000"},
      {npy("{'descr': '|b1', 'fortran_order': False, 'shape': (1,), }", "\2"), "element 0 of a bool array is 2"},
  };
  for (const auto& bad : cases) {
    try {
      parse(bad.bytes);
      ADD_FAILURE() << "accepted, expected " << bad.message;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(bad.message), std::string::npos) << error.what();
    }
  }
  EXPECT_THROW(serialize_npy(Tensor(DType::kBF16, {1})), Error);
  EXPECT_THROW(serialize_npy(Tensor()), Error);
}

}  // namespace
}  // namespace neural_engine
