#include "load/tensorflow_bundle.h"

#include <cstdio>

#include "base/error.h"
#include "load/crc32c.h"
#include "load/table_file.h"
#include "load/tensorflow_types.h"

namespace neural_engine {

namespace {

// The entries' names and places: a model of a million variables has some 100 MiB of them.
constexpr size_t kMaxIndexBytes = size_t{256} << 20;

std::string shard_suffix(int32_t number, int32_t count) {
  char text[48];
  std::snprintf(text, sizeof text, ".data-%05d-of-%05d", number, count);
  return text;
}

}  // namespace

TensorBundle::TensorBundle(const std::string& folder, const std::string& location)
    : folder_(folder), location_(location) {
  const std::string name = location + ".index";
  const std::shared_ptr<const MappedFile> file = MappedFile::open_below(folder, name);
  with_context([&] { return name; }, [&] { read_index(file->bytes()); });
}

TensorBundle::TensorBundle(std::span<const std::byte> index, const std::string& folder, const std::string& location)
    : folder_(folder), location_(location) {
  read_index(index);
}

void TensorBundle::read_index(std::span<const std::byte> index) {
  const std::map<std::string, std::string> table = read_table_file(index, kMaxIndexBytes);
  const auto header_entry = table.find("");
  tf::BundleHeader header;
  if (header_entry == table.end() || !header.ParseFromString(header_entry->second)) {
    fail(Code::kInvalidModel, "the index has no header");
  }
  if (header.endianness() != 0) fail(Code::kUnsupported, "big-endian tensors found, supported are little-endian ones");
  if (header.num_shards() < 1 || header.num_shards() > 99999) {
    fail(Code::kInvalidModel, header.num_shards(), " shards found, expected 1 to 99999");
  }
  num_shards_ = header.num_shards();
  for (const auto& [name, bytes] : table) {
    if (name.empty()) continue;
    // The slices of partitioned variables have keys that are no text; they are reached through their variable only,
    // which is refused.
    if (!entries_[name].ParseFromString(bytes)) {
      fail(Code::kInvalidModel, "the entry of \"", name, "\" cannot be parsed");
    }
  }
}

const std::shared_ptr<const MappedFile>& TensorBundle::shard(int32_t number) {
  if (number < 0 || number >= num_shards_) fail(Code::kInvalidModel, "shard ", number, " of ", num_shards_, " found");
  std::shared_ptr<const MappedFile>& file = shards_[number];
  if (!file) file = MappedFile::open_below(folder_, location_ + shard_suffix(number, num_shards_));
  return file;
}

Tensor TensorBundle::read_entry(const tf::BundleEntry& entry) {
  const DType dtype = checked_tf_dtype(entry.dtype());
  if (entry.slices_size() > 0) fail(Code::kUnsupported, "it is stored in slices (a partitioned variable)");
  const Shape shape = read_full_tf_shape(entry.shape());
  const std::shared_ptr<const MappedFile>& file = shard(entry.shard_id());
  const std::span<const std::byte> all = file->bytes();
  const uint64_t offset = static_cast<uint64_t>(entry.offset()), size = static_cast<uint64_t>(entry.size());
  if (entry.offset() < 0 || entry.size() < 0 || offset > all.size() || size > all.size() - offset) {
    fail(Code::kInvalidModel, "it lies at ", entry.offset(), " with ", entry.size(), " bytes, its shard has ",
         all.size());
  }
  const std::span<const std::byte> bytes = all.subspan(static_cast<size_t>(offset), static_cast<size_t>(size));
  // Shape and size first: bytes that nobody asked for are not read.
  Tensor tensor = tensor_of_bytes(dtype, shape, bytes, file);
  if (masked_crc32c(crc32c(bytes)) != entry.crc32c()) {
    fail(Code::kInvalidModel, "its checksum does not match: the file is damaged");
  }
  return tensor;
}

Tensor TensorBundle::read(const std::string& name) {
  return with_context([&] { return location_ + ": tensor \"" + name + "\""; },
                      [&] {
                        const auto it = entries_.find(name);
                        if (it == entries_.end()) fail(Code::kInvalidModel, "it is not in the index");
                        return read_entry(it->second);
                      });
}

}  // namespace neural_engine
