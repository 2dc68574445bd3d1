// safetensors files: what is read, and what malformed and hostile headers get.
#include "load/safetensors.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "op_tester.h"

namespace neural_engine {
namespace {

using testing::values;

// The header with its size in front and `data` behind.
std::string file(const std::string& header, const std::string& data) {
  std::string result;
  for (size_t i = 0; i < 8; ++i) result += static_cast<char>(header.size() >> (8 * i) & 0xff);
  return result + header + data;
}

NamedTensors parse(const std::string& bytes) { return parse_safetensors(std::as_bytes(std::span(bytes)), nullptr); }

std::string error_of(const std::string& bytes) {
  try {
    parse(bytes);
    return "no error";
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(Safetensors, Reads) {
  const std::string header =
      R"({"__metadata__":{"format":"pt"},"b":{"dtype":"I64","shape":[],"data_offsets":[8,16]},)"
      R"("a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},"none":{"dtype":"U8","shape":[0,3],"data_offsets":[16,16]}})";
  const float floats[] = {1.5f, -2.f};
  const int64_t whole = 7;
  std::string data(reinterpret_cast<const char*>(floats), 8);
  data.append(reinterpret_cast<const char*>(&whole), 8);
  const NamedTensors tensors = parse(file(header, data));
  ASSERT_EQ(tensors.size(), 3u);
  EXPECT_EQ(tensors.at("a").shape(), (Shape{2, 1}));
  EXPECT_EQ(values<float>(tensors.at("a")), (std::vector<float>{1.5f, -2.f}));
  EXPECT_EQ(values<int64_t>(tensors.at("b")), (std::vector<int64_t>{7}));
  EXPECT_EQ(tensors.at("none").elems(), 0);
}

TEST(Safetensors, Refusals) {
  const auto one = [](const std::string& fields, size_t bytes = 8) {
    return error_of(file("{\"t\":{" + fields + "}}", std::string(bytes, '\0')));
  };
  const auto has = [](const std::string& found, const std::string& expected) {
    EXPECT_NE(found.find(expected), std::string::npos) << "found: " << found << "\nexpected: " << expected;
  };
  const std::string good = R"("dtype":"F32","shape":[2],"data_offsets":[0,8])";
  EXPECT_EQ(one(good), "no error");
  has(error_of(""), "0 bytes found");
  has(error_of(std::string(8, '\xff')), "a header of 18446744073709551615 bytes found in a file of 8");
  has(error_of(file("{}", "x").substr(0, 9)), "a header of 2 bytes found in a file of 9");
  has(error_of(file("[1]", "")), "a JSON object is expected");
  has(error_of(file("{\"t\":", "")), "a JSON object is expected");
  has(error_of(file("{\"t\":" + std::string(100, '['), "")), "JSON nested deeper than 64");
  has(error_of(file("{\"t\":{" + good + "},\"t\":{" + good + "}}", std::string(8, '\0'))),
      "field \"t\" is given twice");
  has(error_of(file(R"({"t":3})", "")), "its description is number");
  has(one(R"("dtype":"F33","shape":[2],"data_offsets":[0,8])"), "dtype \"F33\" found, supported: F64, F32");
  has(one(R"("shape":[2],"data_offsets":[0,8])"), "field \"dtype\" is missing");
  has(one(R"("dtype":4,"shape":[2],"data_offsets":[0,8])"), "field \"dtype\" is number, expected a string");
  has(one(R"("dtype":"F32","shape":[-2],"data_offsets":[0,8])"), "holds -2, expected integers from 0 on");
  has(one(R"("dtype":"F32","shape":[2.0],"data_offsets":[0,8])"), "holds 2.0");
  has(one(R"("dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8])"), "overflows");
  has(one(R"("dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,8])"), "holds 9223372036854775808");
  has(one(R"("dtype":"F32","shape":[2],"data_offsets":[8,0])"), "takes 8 bytes");
  has(one(R"("dtype":"F32","shape":[2],"data_offsets":[0])"), "two data_offsets");
  has(one(good + ",\"extra\":1"), "and nothing else");
  has(one(R"("dtype":"F32","shape":[3],"data_offsets":[0,8])"), "takes 12 bytes");
  has(one(R"("dtype":"F32","shape":[2],"data_offsets":[4,12])", 12), "begins at 4, expected 0");
  has(one(good, 9), "the tensors take 8 bytes, the file holds 9");
  has(one(good, 7), "the tensors take 8 bytes, the file holds 7");
  has(error_of(file("{\"t\":{" + good + "},\"u\":{" + good + "}}", std::string(8, '\0'))), "begins at 0, expected 8");
  has(error_of(file(R"({"t":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}})", "\x02")), "neither 0 nor 1");
}

}  // namespace
}  // namespace neural_engine
