// TensorFlow's tensor bundle: an index by name (a table file, PREFIX.index) and the bytes of the tensors in shards
// (PREFIX.data-00000-of-00002 ...).
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/mapped_file.h"
#include "neural_engine/tensor.h"
#include "tensorflow.pb.h"

namespace neural_engine {

class TensorBundle {
 public:
  // `location` is the prefix, a path below `folder`; see MappedFile::open_below. Of the index everything is checked.
  TensorBundle(const std::string& folder, const std::string& location);
  // From an index in memory; the shards are read when they are asked for.
  TensorBundle(std::span<const std::byte> index, const std::string& folder, const std::string& location);

  bool has(const std::string& name) const { return entries_.count(name) > 0; }
  // A view of the mapped shard where the alignment allows. Its checksum is verified. Error(kInvalidModel) when there is
  // no such tensor or its bytes are not as the index says, kUnsupported for strings, slices and other byte orders.
  Tensor read(const std::string& name);

 private:
  void read_index(std::span<const std::byte> index);
  const std::shared_ptr<const MappedFile>& shard(int32_t number);
  Tensor read_entry(const tf::BundleEntry& entry);

  std::string folder_, location_;
  std::map<std::string, tf::BundleEntry> entries_;
  std::map<int32_t, std::shared_ptr<const MappedFile>> shards_;
  int32_t num_shards_ = 0;
};

}  // namespace neural_engine
