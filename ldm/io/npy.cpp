#include "ldm/io/npy.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "ldm/core/error.h"
#include "ldm/io/byte_reader.h"
#include "ldm/io/printable.h"
#include "ldm/io/zip.h"

namespace ldm {
namespace {

constexpr std::string_view kMagic("\x93NUMPY", 6);
constexpr size_t kMaxHeader = 64 << 10, kMaxRank = 32;

constexpr std::pair<std::string_view, DType> kDescriptions[] = {
    {"b1", DType::kBool}, {"u1", DType::kU8},  {"i1", DType::kI8},  {"u2", DType::kU16}, {"i2", DType::kI16},
    {"u4", DType::kU32},  {"i4", DType::kI32}, {"u8", DType::kU64}, {"i8", DType::kI64}, {"f2", DType::kF16},
    {"f4", DType::kF32},  {"f8", DType::kF64}, {"c8", DType::kC64},
};

struct NpyHeader {
  std::string_view descr;
  bool fortran_order = false;
  std::vector<int64_t> shape;
};

// The header: a Python dictionary of exactly three keys, read without Python.
class NpyHeaderParser {
 public:
  explicit NpyHeaderParser(std::string_view text) : rest_(text) {}

  NpyHeader parse() {
    NpyHeader out;
    bool descr = false, order = false, shape = false;
    expect("{");
    while (!accept("}")) {
      const auto key = string();
      expect(":");
      if (key == "descr" && !std::exchange(descr, true)) {
        out.descr = string();
      } else if (key == "fortran_order" && !std::exchange(order, true)) {
        out.fortran_order = boolean();
      } else {
        check(key == "shape" && !std::exchange(shape, true), ErrorKind::kFormat, "npy: unexpected key ",
              printable(key));
        out.shape = tuple();
      }
      if (!accept(",")) check(peek() == '}', ErrorKind::kFormat, "npy: expected ',' or '}' in the header");
    }
    check(descr && order && shape && peek() == 0, ErrorKind::kFormat,
          "npy: expected a header of descr, fortran_order and shape");
    return out;
  }

 private:
  char peek() {
    const size_t start = rest_.find_first_not_of(" \n");
    rest_.remove_prefix(start == rest_.npos ? rest_.size() : start);
    return rest_.empty() ? '\0' : rest_.front();
  }
  bool accept(std::string_view word) {
    peek();
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  void expect(std::string_view word) {
    check(accept(word), ErrorKind::kFormat, "npy: expected '", word, "' in the header, got ",
          printable(rest_.substr(0, 20)));
  }
  std::string_view string() {
    const char quote = peek();
    check(quote == '\'' || quote == '"', ErrorKind::kFormat, "npy: expected a text in the header, got ",
          printable(rest_.substr(0, 20)), "; records are not read");
    const size_t end = rest_.find(quote, 1);
    check(end != rest_.npos, ErrorKind::kFormat, "npy: expected a closing quote in the header");
    const auto out = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return out;
  }
  bool boolean() {
    if (accept("True")) return true;
    expect("False");
    return false;
  }
  int64_t integer() {
    peek();
    int64_t value = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    check(error == std::errc() && value >= 0, ErrorKind::kFormat,
          "npy: expected a size >= 0 in the shape, got ", printable(rest_.substr(0, 20)));
    rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
    accept("L");  // Python 2 wrote 3L.
    return value;
  }
  std::vector<int64_t> tuple() {
    std::vector<int64_t> out;
    expect("(");
    while (!accept(")")) {
      check(out.size() < kMaxRank, ErrorKind::kFormat, "npy: expected at most ", kMaxRank, " dimensions");
      out.push_back(integer());
      if (!accept(",")) check(peek() == ')', ErrorKind::kFormat, "npy: expected ',' or ')' in the shape");
    }
    return out;
  }

  std::string_view rest_;
};

DType read_description(std::string_view descr) {
  check(descr.size() >= 3, ErrorKind::kFormat, "npy: expected a type such as '<f4', got ", printable(descr));
  check(descr[0] != '>', ErrorKind::kFormat, "npy: expected little-endian numbers, got ", printable(descr));
  for (const auto& [text, dtype] : kDescriptions) {
    const bool order = descr[0] == '<' || descr[0] == '=' || descr[0] == '|';
    if (order && descr.substr(1) == text) return dtype;
  }
  fail(ErrorKind::kFormat, "npy: arrays of type ", printable(descr), " are not read");
}

std::vector<int64_t> fortran_strides(const std::vector<int64_t>& shape) {
  std::vector<int64_t> strides;
  int64_t stride = 1;
  for (const int64_t size : shape) {
    strides.push_back(stride);
    stride *= std::max<int64_t>(size, 1);
  }
  return strides;
}

}  // namespace

StridedEntry parse_npy(std::span<const std::byte> bytes, const std::string& name) {
  ByteReader reader(bytes, "npy");
  check(reader.text(kMagic.size()) == kMagic, ErrorKind::kFormat,
        "npy: expected the magic of NumPy's format");
  const auto major = reader.number<uint8_t>();
  reader.take(1);
  check(major >= 1 && major <= 3, ErrorKind::kFormat, "npy: expected version 1, 2 or 3, got ", int{major});
  const uint64_t length = major == 1 ? reader.number<uint16_t>() : reader.number<uint32_t>();
  check(length <= kMaxHeader, ErrorKind::kFormat, "npy: expected a header of at most ", kMaxHeader,
        " bytes, got ", length);
  auto header = NpyHeaderParser(reader.text(length)).parse();
  StridedEntry out{name, read_description(header.descr), std::move(header.shape), {}, {}};
  uint64_t size = 0;
  const bool fits = !__builtin_mul_overflow(static_cast<uint64_t>(element_count(name, out.shape)),
                                            static_cast<uint64_t>(dtype_bits(out.dtype) / 8), &size);
  check(fits && size == reader.left(), ErrorKind::kFormat, "npy: array ", printable(name), ": expected ",
        size, " bytes of data, got ", reader.left());
  out.strides = header.fortran_order ? fortran_strides(out.shape) : row_major_strides(out.shape);
  out.data = reader.take(size);
  return out;
}

const StridedEntry& NpzFile::at(const std::string& name) const {
  const auto found =
      std::find_if(arrays.begin(), arrays.end(), [&](const auto& a) { return a.name == name; });
  check(found != arrays.end(), ErrorKind::kFormat, "npz: expected an array ", printable(name),
        "; it is not in the file");
  return *found;
}

NpzFile parse_npz(std::span<const std::byte> bytes) {
  const ZipArchive archive(bytes);
  NpzFile out;
  for (const auto& entry : archive.entries()) {
    constexpr std::string_view kEnding = ".npy";
    check(entry.name.ends_with(kEnding), ErrorKind::kFormat, "npz: expected entries that end in .npy, got ",
          printable(entry.name));
    auto data = entry.data;
    if (entry.compressed) {
      out.inflated.push_back(std::make_shared<const std::vector<std::byte>>(read_zip_entry(entry)));
      data = *out.inflated.back();
    }
    out.arrays.push_back(parse_npy(data, entry.name.substr(0, entry.name.size() - kEnding.size())));
  }
  return out;
}

}  // namespace ldm
