#include "ldm/io/safetensors.h"

#include <algorithm>
#include <limits>
#include <set>

#include "ldm/core/error.h"
#include "ldm/io/file.h"
#include "ldm/io/json.h"
#include "ldm/io/printable.h"

namespace ldm {
namespace {

constexpr std::string_view kMetadata = "__metadata__";

// Product of the shape times the size of a number, in bytes. Throws `kind` on overflow or if bits are left
// over.
uint64_t byte_size(std::string_view name, DType dtype, const std::vector<int64_t>& shape, ErrorKind kind) {
  uint64_t count = 1;
  bool empty = false;
  for (const int64_t size : shape) {
    check(size >= 0, kind, "safetensors: tensor ", printable(name), ": expected sizes >= 0, got ", size);
    empty = empty || size == 0;
    check(!__builtin_mul_overflow(count, static_cast<uint64_t>(std::max<int64_t>(size, 1)), &count), kind,
          "safetensors: tensor ", printable(name), ": the product of the shape overflows");
  }
  uint64_t bits = 0;
  check(!__builtin_mul_overflow(count, static_cast<uint64_t>(dtype_bits(dtype)), &bits), kind,
        "safetensors: tensor ", printable(name), ": the product of the shape overflows");
  if (empty) return 0;
  check(bits % 8 == 0, kind, "safetensors: tensor ", printable(name), ": expected whole bytes, got ", bits,
        " bits");
  return bits / 8;
}

// A header's length field and bounds: the JSON text, and what follows it.
struct Split {
  std::span<const std::byte> header, data;
};

uint64_t header_length(std::span<const std::byte> bytes) {
  uint64_t length = 0;
  for (size_t i = 0; i < 8; ++i) length |= std::to_integer<uint64_t>(bytes[i]) << (8 * i);
  return length;
}

Split split_file(std::span<const std::byte> bytes, const SafetensorsLimits& limits) {
  check(bytes.size() >= 8, ErrorKind::kFormat, "safetensors: expected at least 8 bytes, got ", bytes.size());
  const uint64_t length = header_length(bytes);
  check(length <= limits.max_header_bytes, ErrorKind::kFormat, "safetensors: expected a header of at most ",
        limits.max_header_bytes, " bytes, got ", length);
  check(length <= bytes.size() - 8, ErrorKind::kFormat, "safetensors: expected a header of ", length,
        " bytes, got a file with ", bytes.size() - 8, " bytes after the length");
  check(length >= 2 && bytes[8] == std::byte{'{'}, ErrorKind::kFormat,
        "safetensors: expected a header that begins with '{'");
  return {bytes.subspan(8, length), bytes.subspan(8 + length)};
}

std::map<std::string, std::string> read_metadata(const Json& value) {
  check(value.is_object(), ErrorKind::kFormat, "safetensors: expected __metadata__ to be an object, got ",
        value.type_name());
  std::map<std::string, std::string> metadata;
  for (const auto& [key, text] : value.items()) {
    check(text.is_string(), ErrorKind::kFormat, "safetensors: expected strings in __metadata__, got ",
          text.type_name(), " for ", printable(key));
    metadata.emplace(key, text.get<std::string>());
  }
  return metadata;
}

uint64_t read_unsigned(const Json& value, std::string_view name, const char* what) {
  check(value.is_number_unsigned(), ErrorKind::kFormat, "safetensors: tensor ", printable(name),
        ": expected ", what, " to hold integers >= 0, got ", printable(value.dump()));
  return value.get<uint64_t>();
}

const Json& read_member(const Json& entry, std::string_view name, const char* key) {
  const auto found = entry.find(key);
  check(found != entry.end(), ErrorKind::kFormat, "safetensors: tensor ", printable(name),
        ": expected the key '", key, "'");
  return *found;
}

std::vector<int64_t> read_shape(const Json& value, std::string_view name, const SafetensorsLimits& limits) {
  check(value.is_array(), ErrorKind::kFormat, "safetensors: tensor ", printable(name),
        ": expected shape to be a list, got ", value.type_name());
  check(value.size() <= static_cast<size_t>(limits.max_rank), ErrorKind::kFormat, "safetensors: tensor ",
        printable(name), ": expected at most ", limits.max_rank, " dimensions, got ", value.size());
  std::vector<int64_t> shape;
  for (const auto& item : value) {
    const uint64_t size = read_unsigned(item, name, "shape");
    check(size <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max()), ErrorKind::kFormat,
          "safetensors: tensor ", printable(name), ": a size of the shape overflows: ", size);
    shape.push_back(static_cast<int64_t>(size));
  }
  return shape;
}

// One entry; its bytes are inside `data` and as many as shape and type need.
TensorEntry read_entry(const std::string& name, const Json& entry, std::span<const std::byte> data,
                       const SafetensorsLimits& limits) {
  check(entry.is_object(), ErrorKind::kFormat, "safetensors: tensor ", printable(name),
        ": expected an object, got ", entry.type_name());
  check(entry.size() <= 3, ErrorKind::kFormat, "safetensors: tensor ", printable(name),
        ": expected only the keys dtype, shape and data_offsets, got ", entry.size(), " keys");
  const Json& dtype = read_member(entry, name, "dtype");
  check(dtype.is_string(), ErrorKind::kFormat, "safetensors: tensor ", printable(name),
        ": expected dtype to be a string, got ", dtype.type_name());
  TensorEntry tensor{name,
                     parse_dtype(dtype.get_ref<const std::string&>()),
                     read_shape(read_member(entry, name, "shape"), name, limits),
                     {}};
  const Json& offsets = read_member(entry, name, "data_offsets");
  check(offsets.is_array() && offsets.size() == 2, ErrorKind::kFormat, "safetensors: tensor ",
        printable(name), ": expected data_offsets to be [begin, end]");
  const uint64_t begin = read_unsigned(offsets[0], name, "data_offsets");
  const uint64_t end = read_unsigned(offsets[1], name, "data_offsets");
  check(begin <= end && end <= data.size(), ErrorKind::kFormat, "safetensors: tensor ", printable(name),
        ": expected data_offsets inside the file's ", data.size(), " bytes of data, got [", begin, ", ", end,
        "]");
  const uint64_t needed = byte_size(name, tensor.dtype, tensor.shape, ErrorKind::kFormat);
  check(end - begin == needed, ErrorKind::kFormat, "safetensors: tensor ", printable(name), ": expected ",
        needed, " bytes for its shape and type, got ", end - begin);
  tensor.data = data.subspan(begin, end - begin);
  return tensor;
}

// Every byte of `data` belongs to exactly one tensor.
void sort_and_check_layout(std::vector<TensorEntry>& tensors, std::span<const std::byte> data) {
  std::sort(tensors.begin(), tensors.end(), [](const TensorEntry& a, const TensorEntry& b) {
    if (a.data.data() != b.data.data()) return std::less<>()(a.data.data(), b.data.data());
    return a.data.size() != b.data.size() ? a.data.size() < b.data.size() : a.name < b.name;
  });
  const std::byte* next = data.data();
  for (const auto& tensor : tensors) {
    check(tensor.data.data() == next, ErrorKind::kFormat, "safetensors: tensor ", printable(tensor.name),
          ": expected it to begin at ", next - data.data(), " without hole or overlap, got ",
          tensor.data.data() - data.data());
    next += tensor.data.size();
  }
  const auto used = static_cast<size_t>(next - data.data());
  check(used == data.size(), ErrorKind::kFormat,
        "safetensors: expected the data to end with the last tensor at ", used, ", got ", data.size(),
        " bytes");
}

std::string header_text(const std::vector<const TensorEntry*>& tensors,
                        const std::map<std::string, std::string>& metadata) {
  std::string header = "{";
  if (!metadata.empty()) header += to_json(kMetadata) + ":" + to_json(Json(metadata));
  uint64_t offset = 0;
  for (const auto* tensor : tensors) {
    const Json entry{{"dtype", dtype_name(tensor->dtype)},
                     {"shape", tensor->shape},
                     {"data_offsets", {offset, offset + tensor->data.size()}}};
    header += (header.size() > 1 ? "," : "") + to_json(tensor->name) + ":" + to_json(entry);
    offset += tensor->data.size();
  }
  header += "}";
  header.append((8 - header.size() % 8) % 8, ' ');
  return header;
}

}  // namespace

bool is_safetensors(std::span<const std::byte> bytes) {
  return bytes.size() > 8 && bytes[8] == std::byte{'{'} &&
         header_length(bytes) <= SafetensorsLimits{}.max_header_bytes;
}

SafetensorsFile parse_safetensors(std::span<const std::byte> bytes, const SafetensorsLimits& limits) {
  const Split split = split_file(bytes, limits);
  const Json header =
      parse_json(split.header, "safetensors: header", {limits.max_header_bytes, limits.max_depth});
  SafetensorsFile file;
  for (const auto& [name, entry] : header.items()) {
    if (name == kMetadata) {
      file.metadata = read_metadata(entry);
    } else {
      file.tensors.push_back(read_entry(name, entry, split.data, limits));
    }
  }
  sort_and_check_layout(file.tensors, split.data);
  return file;
}

void write_safetensors(const std::filesystem::path& path, const std::vector<TensorEntry>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  std::set<std::string_view> names{kMetadata};
  std::vector<const TensorEntry*> sorted;
  for (const auto& tensor : tensors) {
    check(names.insert(tensor.name).second, "write_safetensors: expected each name once and none '",
          kMetadata, "', got ", printable(tensor.name));
    const uint64_t needed = byte_size(tensor.name, tensor.dtype, tensor.shape, ErrorKind::kUsage);
    check(tensor.data.size() == needed, "write_safetensors: tensor ", printable(tensor.name), ": expected ",
          needed, " bytes for its shape and type, got ", tensor.data.size());
    sorted.push_back(&tensor);
  }
  std::sort(sorted.begin(), sorted.end(), [](const TensorEntry* a, const TensorEntry* b) {
    const int64_t a_bits = dtype_bits(a->dtype), b_bits = dtype_bits(b->dtype);
    return a_bits != b_bits ? a_bits > b_bits : a->name < b->name;
  });

  const std::string header = header_text(sorted, metadata);
  std::string length(8, '\0');
  for (size_t i = 0; i < 8; ++i) length[i] = static_cast<char>(header.size() >> (8 * i));
  AtomicFile file(path);
  file.write(length);
  file.write(header);
  for (const auto* tensor : sorted) file.write(tensor->data);
  file.commit();
}

}  // namespace ldm
