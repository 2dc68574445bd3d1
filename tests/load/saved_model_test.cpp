// SavedModels: which signature is taken, where variables find their values, and what is refused.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include <unistd.h>

#include "load/crc32c.h"
#include "table_writer.h"
#include "tensorflow_model.h"

namespace neural_engine {
namespace {

namespace fs = std::filesystem;
using testing::add_tf_const;
using testing::add_tf_input;
using testing::add_tf_node;
using testing::kTfFloat;
using testing::op_names;
using testing::tf_attr;

// y = x * w + v with w [2,3] and v [3], restored at the top of the graph (w) and in a function (v).
struct Saved {
  tf::SavedModel model;
  tf::BundleHeader header;
  std::map<std::string, tf::BundleEntry> entries;
  std::string shard;

  tf::MetaGraphDef& meta() { return *model.mutable_meta_graphs(0); }
  tf::GraphDef& graph() { return *meta().mutable_graph_def(); }
  tf::NodeDef* node(const std::string& name) {
    for (tf::NodeDef& each : *graph().mutable_node()) {
      if (each.name() == name) return &each;
    }
    return nullptr;
  }
  tf::SignatureDef& signature(const std::string& name = "serving_default") {
    return (*meta().mutable_signature_def())[name];
  }
};

void add_restore(google::protobuf::RepeatedPtrField<tf::NodeDef>* nodes, const std::string& tensor,
                 const std::string& slice) {
  add_tf_const(nodes, "names", {1}, 7)->add_string_val(tensor);
  add_tf_const(nodes, "slices", {1}, 7)->add_string_val(slice);
  add_tf_node(nodes, "RestoreV2", "restored", {"file", "names", "slices"});
}

void add_variable(Saved& saved, const std::string& name, const std::vector<int64_t>& dims) {
  tf::NodeDef* handle = add_tf_node(&saved.graph(), "VarHandleOp", name, {});
  tf_attr(handle, "dtype").set_type(kTfFloat);
  tf_attr(handle, "shape").mutable_shape();
  for (int64_t dim : dims) tf_attr(handle, "shape").mutable_shape()->add_dim()->set_size(dim);
  tf_attr(add_tf_node(&saved.graph(), "ReadVariableOp", name + "_read", {name}), "dtype").set_type(kTfFloat);
}

void add_tensor(Saved& saved, const std::string& name, const std::vector<int64_t>& dims,
                const std::vector<float>& values) {
  tf::BundleEntry& entry = saved.entries[name];
  const std::string bytes(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
  entry.set_dtype(kTfFloat);
  entry.mutable_shape();
  for (int64_t dim : dims) entry.mutable_shape()->add_dim()->set_size(dim);
  entry.set_offset(static_cast<int64_t>(saved.shard.size()));
  entry.set_size(static_cast<int64_t>(bytes.size()));
  entry.set_crc32c(masked_crc32c(crc32c(std::as_bytes(std::span(bytes)))));
  saved.shard += bytes;
}

void add_port(google::protobuf::Map<std::string, tf::TensorInfo>* ports, const std::string& name,
              const std::string& tensor, const std::vector<int64_t>& dims) {
  tf::TensorInfo& info = (*ports)[name];
  info.set_name(tensor);
  info.set_dtype(kTfFloat);
  info.mutable_tensor_shape();
  for (int64_t dim : dims) info.mutable_tensor_shape()->add_dim()->set_size(dim);
}

Saved linear_model() {
  Saved saved;
  saved.model.set_saved_model_schema_version(1);
  saved.model.add_meta_graphs()->mutable_meta_info_def()->add_tags("serve");
  saved.header.set_num_shards(1);
  add_tensor(saved, "layer/w", {2, 3}, {1, 2, 3, 4, 5, 6});
  add_tensor(saved, "layer/v", {3}, {7, 8, 9});
  add_tf_input(&saved.graph(), "serve_x", {-1, 2});
  add_variable(saved, "w", {2, 3});
  add_variable(saved, "v", {3});
  add_tf_node(&saved.graph(), "MatMul", "product", {"serve_x", "w_read"});
  add_tf_node(&saved.graph(), "AddV2", "sum", {"product", "v_read"});

  add_tf_const(saved.graph().mutable_node(), "file", {}, 7)->add_string_val("model");
  add_restore(saved.graph().mutable_node(), "layer/w", "");
  add_tf_node(&saved.graph(), "AssignVariableOp", "assign", {"w", "restored"});

  tf::FunctionDef* restore = saved.graph().mutable_library()->add_function();
  restore->mutable_signature()->set_name("restore");
  for (const char* argument : {"file", "handle"}) restore->mutable_signature()->add_input_arg()->set_name(argument);
  add_restore(restore->mutable_node_def(), "layer/v", "");
  add_tf_node(restore->mutable_node_def(), "Identity", "value", {"restored:tensors:0"});
  add_tf_node(restore->mutable_node_def(), "AssignVariableOp", "assign", {"handle", "value:output:0"});
  tf_attr(add_tf_node(&saved.graph(), "StatefulPartitionedCall", "restore_all", {"file", "v"}), "f")
      .mutable_func()
      ->set_name("restore");
  saved.meta().mutable_saver_def()->set_restore_op_name("restore_all");

  add_port(saved.signature().mutable_inputs(), "x", "serve_x:0", {-1, 2});
  add_port(saved.signature().mutable_outputs(), "y", "sum:0", {-1, 3});
  return saved;
}

class SavedModels : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("ne_saved_" + std::to_string(::getpid()) + "_" +
                                           ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_ / "variables");
  }
  void TearDown() override { fs::remove_all(folder_); }

  void write(const Saved& saved) {
    put("saved_model.pb", saved.model.SerializeAsString());
    std::map<std::string, std::string> table = {{"", saved.header.SerializeAsString()}};
    for (const auto& [name, entry] : saved.entries) table[name] = entry.SerializeAsString();
    put("variables/variables.index", testing::table_of(table));
    put("variables/variables.data-00000-of-00001", saved.shard);
  }
  void put(const std::string& name, const std::string& bytes) {
    std::ofstream(folder_ / name, std::ios::binary | std::ios::trunc) << bytes;
  }

  Graph load(const std::string& signature = "") { return load_saved_model(folder_.string(), signature); }
  std::string error(const std::string& signature = "") {
    try {
      load(signature);
    } catch (const Error& e) {
      return std::string(to_string(e.code())) + ": " + e.what();
    }
    return {};
  }

  fs::path folder_;
};

TEST_F(SavedModels, VariablesAreConstants) {
  write(linear_model());
  const Graph graph = load();
  EXPECT_EQ(graph.value(graph.inputs()[0]).name, "x");
  EXPECT_EQ(to_string(*graph.value(graph.inputs()[0]).facts.shape), "[x_0,2]");
  EXPECT_EQ(graph.outputs()[0].name, "y");
  ASSERT_EQ(op_names(graph), (std::vector<std::string>{"MatMul", "Add"}));
  const Tensor w = graph.value(graph.node(graph.order()[0]).inputs[1]).facts.constant;
  ASSERT_EQ(w.shape(), (Shape{2, 3}));
  EXPECT_EQ(std::vector<float>(w.data<float>(), w.data<float>() + 6), (std::vector<float>{1, 2, 3, 4, 5, 6}));
  const Tensor v = graph.value(graph.node(graph.order()[1]).inputs[1]).facts.constant;
  EXPECT_EQ(std::vector<float>(v.data<float>(), v.data<float>() + 3), (std::vector<float>{7, 8, 9}));
}

TEST_F(SavedModels, TheSignatureIsChosen) {
  Saved saved = linear_model();
  saved.signature("other") = saved.signature();
  saved.signature("other").mutable_outputs()->clear();
  add_port(saved.signature("other").mutable_outputs(), "raw", "product:0", {-1, 3});
  saved.signature("__saved_model_init_op");
  write(saved);
  EXPECT_EQ(load().outputs()[0].name, "y");
  EXPECT_EQ(load("other").outputs()[0].name, "raw");
  EXPECT_NE(error("third").find("there is no signature \"third\", but \"other\", \"serving_default\""),
            std::string::npos);
  saved.meta().mutable_signature_def()->erase("serving_default");
  write(saved);
  EXPECT_EQ(load().outputs()[0].name, "raw");  // the only one
}

TEST_F(SavedModels, WithoutVariablesThereIsNoBundle) {
  Saved saved = linear_model();
  (*saved.signature().mutable_outputs())["y"].set_name("abs:0");
  add_tf_node(&saved.graph(), "Abs", "abs", {"serve_x"});
  write(saved);
  fs::remove_all(folder_ / "variables");
  EXPECT_EQ(op_names(load()), std::vector<std::string>{"Abs"});
  write(linear_model());
  EXPECT_NE(error().find("variable \"w\" has no value"), std::string::npos) << error();
}

struct BadModel {
  const char* name;
  std::function<void(Saved&)> spoil;
  const char* message;
};

const BadModel kBadModels[] = {
    {"schema", [](Saved& s) { s.model.set_saved_model_schema_version(2); }, "schema version 2 found, 1 is supported"},
    {"no graph", [](Saved& s) { s.model.clear_meta_graphs(); }, "there is no graph"},
    {"no graph for serving",
     [](Saved& s) {
       s.meta().mutable_meta_info_def()->set_tags(0, "train");
       *s.model.add_meta_graphs() = s.meta();
     },
     "2 graphs found, none of them tagged \"serve\" alone"},
    {"no signature", [](Saved& s) { s.meta().clear_signature_def(); }, "say which one to take: none"},
    {"sparse input", [](Saved& s) { (*s.signature().mutable_inputs())["x"].set_coo_sparse(""); },
     "\"x\" of the signature: it is a sparse or composite tensor"},
    {"string input", [](Saved& s) { (*s.signature().mutable_inputs())["x"].set_dtype(7); },
     "\"x\" of the signature: DT_STRING found"},
    {"unknown output", [](Saved& s) { (*s.signature().mutable_outputs())["y"].set_name("z:0"); },
     "there is no node \"z\""},
    {"no outputs", [](Saved& s) { s.signature().clear_outputs(); }, "there is no output"},
    {"declared shape", [](Saved& s) { tf_attr(s.node("w"), "shape").mutable_shape()->mutable_dim(0)->set_size(3); },
     "the variable is f32[3,3], the value that was saved is f32[2,3]"},
    {"part of a variable",
     [](Saved& s) { tf_attr(s.node("slices"), "value").mutable_tensor()->set_string_val(0, "2 3 0,1:0,3"); },
     "slice \"2 3 0,1:0,3\" of a variable is restored"},
    {"name that is computed", [](Saved& s) { s.node("names")->set_op("Placeholder"); },
     "the names of RestoreV2 are no constants"},
    {"two values for a variable",
     [](Saved& s) { tf_attr(s.node("v"), "shared_name").set_s("w"), tf_attr(s.node("w"), "shared_name").set_s("w"); },
     "variable \"w\" is restored from \"layer/w\" and from \"layer/v\""},
    {"restoring calls itself",
     [](Saved& s) {
       tf::FunctionDef* restore = s.graph().mutable_library()->mutable_function(0);
       tf_attr(add_tf_node(restore->mutable_node_def(), "PartitionedCall", "again", {"file", "handle"}), "f")
           .mutable_func()
           ->set_name("restore");
     },
     "functions are nested more than 16 deep"},

    {"no header", [](Saved& s) { s.header.set_num_shards(0); }, "0 shards found, expected 1 to 99999"},
    {"big-endian", [](Saved& s) { s.header.set_endianness(1); }, "big-endian tensors found"},
    {"tensor that is not there", [](Saved& s) { s.entries.erase("layer/w"); },
     "tensor \"layer/w\": it is not in the index"},
    {"beyond the shard", [](Saved& s) { s.entries["layer/w"].set_offset(1 << 20); },
     "it lies at 1048576 with 24 bytes, its shard has 36"},
    {"negative offset", [](Saved& s) { s.entries["layer/w"].set_offset(-1); }, "it lies at -1 with 24 bytes"},
    {"offset that overflows",
     [](Saved& s) { s.entries["layer/w"].set_offset(INT64_MAX), s.entries["layer/w"].set_size(INT64_MAX); },
     "its shard has 36"},
    {"size and shape", [](Saved& s) { s.entries["layer/w"].set_size(20); }, "a tensor of 20 bytes found"},
    {"shape that overflows",
     [](Saved& s) {
       for (int i = 0; i < 2; ++i) s.entries["layer/w"].mutable_shape()->mutable_dim(i)->set_size(int64_t{1} << 40);
     },
     "overflows"},
    {"negative dimension", [](Saved& s) { s.entries["layer/w"].mutable_shape()->mutable_dim(0)->set_size(-2); },
     "dimension 0 is -2"},
    {"strings", [](Saved& s) { s.entries["layer/w"].set_dtype(7); }, "DT_STRING found"},
    {"slices", [](Saved& s) { s.entries["layer/w"].add_slices("x"); }, "it is stored in slices"},
    {"shard that is not there", [](Saved& s) { s.entries["layer/w"].set_shard_id(1); }, "shard 1 of 1 found"},
    {"damaged weights", [](Saved& s) { s.shard[3] ^= 1; }, "its checksum does not match: the file is damaged"},
};

TEST_F(SavedModels, EachGetsItsMessage) {
  for (const BadModel& bad : kBadModels) {
    SCOPED_TRACE(bad.name);
    Saved saved = linear_model();
    bad.spoil(saved);
    write(saved);
    const std::string found = error();
    EXPECT_NE(found.find(bad.message), std::string::npos) << found;
    EXPECT_EQ(found.find("internal"), std::string::npos) << found;
  }
}

TEST_F(SavedModels, FilesThatLieElsewhere) {
  write(linear_model());
  const fs::path shard = folder_ / "variables" / "variables.data-00000-of-00001", moved = folder_ / "elsewhere";
  fs::rename(shard, moved);
  EXPECT_NE(error(), "");
  fs::create_symlink(moved, shard);
  EXPECT_NE(error().find("symbolic link"), std::string::npos) << error();
  fs::remove(shard);
  fs::create_hard_link(moved, shard);
  EXPECT_NE(error().find("hard link"), std::string::npos) << error();
}

TEST_F(SavedModels, TruncatedFiles) {
  const Saved saved = linear_model();
  const std::string bytes = saved.model.SerializeAsString();
  write(saved);
  for (size_t size = 0; size < bytes.size(); size += 7) {
    put("saved_model.pb", bytes.substr(0, size));
    EXPECT_EQ(error().find("internal"), std::string::npos) << error();
  }
}

}  // namespace
}  // namespace neural_engine
