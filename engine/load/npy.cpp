// The format: "\x93NUMPY", the version's two bytes, the header's length (2 bytes in version 1, 4 in 2 and 3; little-
// endian), the header, the elements. The header is a Python dictionary literal of three keys, padded with spaces and
// ended by a newline:
//   {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }
#include "load/npy.h"

#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>

#include "base/atomic_file.h"
#include "base/checked.h"
#include "base/error.h"
#include "base/mapped_file.h"

namespace neural_engine {

namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kMaxHeader = 1 << 16;  // what NumPy itself writes is below 1 KiB for arrays of numbers
constexpr size_t kAlignment = 64;       // of the elements in the file
constexpr size_t kMaxRank = 64;         // NumPy's own limit

struct Descr {
  std::string_view text;  // without the byte order
  DType dtype;
};

constexpr Descr kDescrs[] = {
    {"f8", DType::kF64}, {"f4", DType::kF32}, {"f2", DType::kF16}, {"i8", DType::kS64},
    {"i4", DType::kS32}, {"i2", DType::kS16}, {"i1", DType::kS8},  {"u8", DType::kU64},
    {"u4", DType::kU32}, {"u2", DType::kU16}, {"u1", DType::kU8},  {"b1", DType::kBool},
};

DType dtype_of(std::string_view descr) {
  if (descr.size() == 3) {
    for (const Descr& known : kDescrs) {
      if (descr.substr(1) != known.text) continue;
      const bool one_byte = bits_of(known.dtype) == 8;
      if (descr[0] == '<' || (one_byte && (descr[0] == '|' || descr[0] == '>' || descr[0] == '='))) return known.dtype;
    }
  }
  fail(Code::kUnsupported, "descr '", descr,
       "' found, supported: <f8, <f4, <f2, <i8, <i4, <i2, |i1, <u8, <u4, <u2, |u1, |b1");
}

struct Header {
  std::optional<DType> dtype;
  std::optional<bool> fortran;
  std::optional<Shape> shape;
};

// Reads the dictionary: just the literals that NumPy writes, nothing of Python besides.
class HeaderParser {
 public:
  explicit HeaderParser(std::string_view text) : text_(text) {}

  Header parse() {
    Header header;
    expect('{');
    while (!accept('}')) {
      const std::string_view key = parse_string();
      expect(':');
      parse_value(key, header);
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_spaces();
    if (at_ != text_.size()) refuse("something follows the dictionary");
    if (!header.dtype || !header.fortran || !header.shape) refuse("'descr', 'fortran_order' or 'shape' is missing");
    return header;
  }

 private:
  template <class... Args>
  [[noreturn]] void refuse(const Args&... args) const {
    fail(Code::kInvalidData, "malformed .npy header at byte ", at_, ": ", args...);
  }

  void parse_value(std::string_view key, Header& header) {
    if (key == "descr" && !header.dtype) {
      skip_spaces();
      if (at_ < text_.size() && text_[at_] == '[') fail(Code::kUnsupported, "structured arrays are not supported");
      header.dtype = dtype_of(parse_string());
    } else if (key == "fortran_order" && !header.fortran) {
      header.fortran = parse_bool();
    } else if (key == "shape" && !header.shape) {
      header.shape = parse_shape();
    } else {
      refuse("key '", key, "' is unknown or given twice");
    }
  }

  void skip_spaces() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  bool accept(char c) {
    skip_spaces();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) refuse("expected '", c, "'");
  }

  std::string_view parse_string() {
    skip_spaces();
    const char quote = at_ < text_.size() ? text_[at_] : '\0';
    if (quote != '\'' && quote != '"') refuse("expected a string");
    const size_t begin = ++at_;
    const size_t end = text_.find(quote, begin);
    if (end == std::string_view::npos) refuse("a string has no end");
    at_ = end + 1;
    return text_.substr(begin, end - begin);
  }

  bool parse_bool() {
    skip_spaces();
    for (const bool value : {false, true}) {
      const std::string_view word = value ? "True" : "False";
      if (text_.substr(at_, word.size()) == word) {
        at_ += word.size();
        return value;
      }
    }
    refuse("expected True or False");
  }

  Shape parse_shape() {
    Shape shape;
    expect('(');
    while (!accept(')')) {
      skip_spaces();
      int64_t dim = 0;
      const char* end = text_.data() + text_.size();
      const auto [next, error] = std::from_chars(text_.data() + at_, end, dim);
      if (error != std::errc() || dim < 0) refuse("expected a dimension");
      at_ = static_cast<size_t>(next - text_.data());
      shape.push_back(dim);
      if (shape.size() > kMaxRank) refuse("more than ", kMaxRank, " dimensions");
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return shape;
  }

  std::string_view text_;
  size_t at_ = 0;
};

// The size of the elements; they must fill the rest of the file exactly, so that no header can ask for more memory than
// the file has.
size_t checked_bytes(DType dtype, const Shape& shape, size_t available) {
  int64_t bytes = bits_of(dtype) / 8;
  for (int64_t dim : shape) {
    if (!checked_mul(bytes, dim, &bytes)) fail(Code::kInvalidData, "shape ", to_string(shape), " overflows");
  }
  if (static_cast<size_t>(bytes) != available) {
    fail(Code::kInvalidData, "the file holds ", available, " bytes of elements, shape ", to_string(shape), " of ",
         to_string(dtype), " takes ", bytes);
  }
  return static_cast<size_t>(bytes);
}

// Elements in column-major order to row-major. An odometer over the destination's indices follows the source's offset.
void copy_from_fortran(const std::byte* src, Tensor& dst) {
  const size_t rank = dst.shape().size();
  const size_t size = static_cast<size_t>(bits_of(dst.dtype()) / 8);
  Shape strides(rank), index(rank, 0);
  int64_t stride = 1;
  for (size_t axis = 0; axis < rank; ++axis) {
    strides[axis] = stride;
    stride *= dst.shape()[axis];
  }
  int64_t from = 0;
  for (int64_t i = 0; i < dst.elems(); ++i) {
    std::memcpy(static_cast<std::byte*>(dst.raw()) + static_cast<size_t>(i) * size,
                src + static_cast<size_t>(from) * size, size);
    for (size_t axis = rank; axis-- > 0;) {
      from += strides[axis];
      if (++index[axis] < dst.shape()[axis]) break;
      from -= strides[axis] * index[axis];
      index[axis] = 0;
    }
  }
}

void check_bools(const Tensor& tensor) {
  if (tensor.dtype() != DType::kBool) return;
  const uint8_t* data = tensor.data<uint8_t>();
  for (int64_t i = 0; i < tensor.elems(); ++i) {
    if (data[i] > 1) fail(Code::kInvalidData, "element ", i, " of a bool array is ", int{data[i]}, ", expected 0 or 1");
  }
}

const char* descr_of(DType dtype) {
  for (const Descr& known : kDescrs) {
    if (known.dtype == dtype) return known.text.data();
  }
  fail(Code::kUnsupported, "dtype ", to_string(dtype), " has no .npy form");
}

}  // namespace

Tensor parse_npy(std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.size() < kMagic.size() + 2 || text.substr(0, kMagic.size()) != kMagic) {
    fail(Code::kInvalidData, "the file does not begin with the mark of a .npy file");
  }
  const int major = static_cast<unsigned char>(text[6]), minor = static_cast<unsigned char>(text[7]);
  if (major < 1 || major > 3 || minor != 0) {
    fail(Code::kUnsupported, ".npy version ", major, ".", minor, " found, supported: 1.0, 2.0, 3.0");
  }
  const size_t length_bytes = major == 1 ? 2 : 4;
  const size_t header_at = kMagic.size() + 2 + length_bytes;
  if (text.size() < header_at) fail(Code::kInvalidData, "the .npy header is truncated");
  size_t length = 0;
  for (size_t i = 0; i < length_bytes; ++i) {
    length |= size_t{static_cast<unsigned char>(text[kMagic.size() + 2 + i])} << (8 * i);
  }
  if (length > kMaxHeader || length > text.size() - header_at) {
    fail(Code::kInvalidData, "the .npy header claims ", length, " bytes, the file has ", text.size() - header_at);
  }
  const Header header = HeaderParser(text.substr(header_at, length)).parse();
  const std::span<const std::byte> elements = bytes.subspan(header_at + length);
  const size_t size = checked_bytes(*header.dtype, *header.shape, elements.size());
  Tensor result(*header.dtype, *header.shape);
  if (*header.fortran && result.rank() > 1) {
    copy_from_fortran(elements.data(), result);
  } else if (size > 0) {
    std::memcpy(result.raw(), elements.data(), size);
  }
  check_bools(result);
  return result;
}

Tensor read_npy(const std::string& path) {
  return with_context([&] { return path; }, [&] { return parse_npy(MappedFile::open(path)->bytes()); });
}

std::string serialize_npy(const Tensor& tensor) {
  if (!tensor.defined()) fail(Code::kInvalidArgument, "an undefined tensor cannot be written");
  std::string header = text("{'descr': '", bits_of(tensor.dtype()) == 8 ? "|" : "<", descr_of(tensor.dtype()),
                            "', 'fortran_order': False, 'shape': (");
  for (int64_t dim : tensor.shape()) header += std::to_string(dim) + ", ";
  header += "), }";
  const size_t prefix = kMagic.size() + 4;
  header.append(kAlignment - (prefix + header.size() + 1) % kAlignment, ' ');
  header += '\n';
  std::string result(kMagic);
  result += {'\1', '\0', static_cast<char>(header.size() & 0xff), static_cast<char>(header.size() >> 8)};
  result += header;
  result.append(static_cast<const char*>(tensor.raw()), tensor.bytes());
  return result;
}

void write_npy(const std::string& path, const Tensor& tensor) {
  const std::string bytes = serialize_npy(tensor);
  write_file_atomically(path, bytes);
}

}  // namespace neural_engine
