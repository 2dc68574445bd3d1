// Tensors whose bytes lie in other files.
#include <gtest/gtest.h>

#include <filesystem>

#include "onnx_model.h"
#include "op_tester.h"

namespace neural_engine {
namespace {

using testing::TemporaryFolder;
using testing::values;

// An initializer of two floats as external data.
onnx::ModelProto external_model(const std::vector<std::pair<std::string, std::string>>& entries) {
  onnx::ModelProto model = testing::empty_model();
  onnx::TensorProto* tensor = model.mutable_graph()->add_initializer();
  *tensor = testing::float_tensor("w", {2}, {});
  tensor->clear_raw_data();
  tensor->set_data_location(onnx::TensorProto::EXTERNAL);
  for (const auto& [key, value] : entries) {
    onnx::StringStringEntryProto* entry = tensor->add_external_data();
    entry->set_key(key);
    entry->set_value(value);
  }
  testing::add_output(model.mutable_graph(), "w");
  return model;
}

std::string four_floats() {
  const float data[] = {1, 2, 3, 4};
  return std::string(reinterpret_cast<const char*>(data), sizeof data);
}

TEST(ExternalData, IsReadFromBelowTheModelsFolder) {
  const TemporaryFolder folder;
  folder.write("weights/w.bin", four_floats());
  const onnx::ModelProto model =
      external_model({{"location", "weights/w.bin"}, {"offset", "8"}, {"length", "8"}, {"checksum", "abc"}});
  const Graph graph = load_onnx(folder.write("model.onnx", model.SerializeAsString()));
  EXPECT_EQ(values<float>(graph.value(graph.outputs()[0].value).facts.constant), (std::vector<float>{3, 4}));
  EXPECT_EQ(testing::load_error(model, folder.path()), "");
}

TEST(ExternalData, WithoutLengthTheRestOfTheFileCounts) {
  const TemporaryFolder folder;
  folder.write("w.bin", four_floats());
  EXPECT_EQ(testing::load_error(external_model({{"location", "./w.bin"}, {"offset", "8"}}), folder.path()), "");
}

TEST(ExternalData, BadOnesAreRefused) {
  const TemporaryFolder folder;
  folder.write("model/w.bin", four_floats());
  folder.write("secret.bin", four_floats());
  std::filesystem::create_symlink("../secret.bin", folder.path() + "/model/link.bin");
  std::filesystem::create_symlink("..", folder.path() + "/model/up");
  std::filesystem::create_hard_link(folder.path() + "/secret.bin", folder.path() + "/model/second_name.bin");
  std::filesystem::create_directory(folder.path() + "/model/folder");
  const struct {
    std::vector<std::pair<std::string, std::string>> entries;
    const char* message;
  } cases[] = {
      {{{"location", folder.path() + "/secret.bin"}}, "is absolute, expected a path below the model's folder"},
      {{{"location", "../secret.bin"}}, "leaves the folder by \"..\""},
      {{{"location", "folder/../w.bin"}}, "leaves the folder by \"..\""},
      {{{"location", "folder//w.bin"}}, "has an empty component"},
      {{{"location", "link.bin"}}, "passes through a symbolic link"},
      {{{"location", "up/secret.bin"}}, "passes through a symbolic link"},
      {{{"location", "second_name.bin"}}, "is one of 2 hard links to its file, expected a file of its own"},
      {{{"location", "none.bin"}}, "input/output: model in memory: tensor \"w\": cannot open"},
      {{{"location", "folder"}}, "is not a regular file"},
      {{}, "location \"\" is empty"},
      {{{"location", std::string("w.bin\0x", 7)}}, "holds a zero byte"},
      {{{"location", "w.bin"}, {"offset", "17"}}, "offset 17 and length 0 exceed \"w.bin\", which holds 16 bytes"},
      {{{"location", "w.bin"}, {"offset", "9"}, {"length", "8"}}, "offset 9 and length 8 exceed"},
      {{{"location", "w.bin"}, {"offset", "8"}, {"length", "9223372036854775807"}}, "exceed \"w.bin\""},
      {{{"location", "w.bin"}, {"length", "4"}}, "external data holds 4 bytes, shape [2] of f32 takes 8"},
      {{{"location", "w.bin"}}, "external data holds 16 bytes, shape [2] of f32 takes 8"},
      {{{"location", "w.bin"}, {"offset", "-1"}}, "offset is \"-1\", expected a number of bytes"},
      {{{"location", "w.bin"}, {"offset", "99999999999999999999"}}, "expected a number of bytes"},
      {{{"location", "w.bin"}, {"offset", "8x"}}, "expected a number of bytes"},
      {{{"location", "w.bin"}, {"basepath", "/"}}, "key \"basepath\" found, supported: location, offset, length"},
  };
  for (const auto& bad : cases) {
    const std::string message = testing::load_error(external_model(bad.entries), folder.path() + "/model");
    EXPECT_NE(message.find(bad.message), std::string::npos) << message << "\n  expected " << bad.message;
  }
}

TEST(ExternalData, IsRefusedWithoutAFolder) {
  EXPECT_NE(testing::load_error(external_model({{"location", "w.bin"}})).find("there is no folder to look for it"),
            std::string::npos);
}

TEST(ExternalData, CannotStandBesideOtherData) {
  onnx::ModelProto model = external_model({{"location", "w.bin"}});
  model.mutable_graph()->mutable_initializer(0)->add_float_data(1);
  EXPECT_NE(testing::load_error(model, ".").find("both float_data and external_data are given"), std::string::npos);
}

}  // namespace
}  // namespace neural_engine
