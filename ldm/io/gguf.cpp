#include "ldm/io/gguf.h"

#include <algorithm>
#include <set>
#include <sstream>
#include <utility>

#include "ldm/core/error.h"
#include "ldm/io/byte_reader.h"
#include "ldm/io/gguf_blocks.h"
#include "ldm/io/printable.h"
#include "ldm/io/strided.h"

namespace ldm {
namespace {

constexpr uint32_t kGgufMagic = 0x46554747;  // "GGUF"
constexpr uint32_t kMaxGgufRank = 4;
constexpr uint64_t kMaxAlignment = 1 << 16;

// Types of metadata values.
enum MetadataType : uint32_t {
  kUint8,
  kInt8,
  kUint16,
  kInt16,
  kUint32,
  kInt32,
  kFloat32,
  kBool,
  kString,
  kArray,
  kUint64,
  kInt64,
  kFloat64,
};

std::string read_string(ByteReader& reader, const GgufLimits& limits) {
  const auto bytes = reader.number<uint64_t>();
  check(bytes <= limits.max_text_bytes, ErrorKind::kFormat, "gguf: expected texts of at most ",
        limits.max_text_bytes, " bytes, got ", bytes);
  return std::string(reader.text(bytes));
}

template <typename T>
std::string number_text(ByteReader& reader) {
  std::ostringstream text;
  text << +reader.number<T>();
  return text.str();
}

std::string read_scalar(ByteReader& reader, uint32_t type, const GgufLimits& limits) {
  switch (type) {
    case kUint8:
      return number_text<uint8_t>(reader);
    case kInt8:
      return number_text<int8_t>(reader);
    case kUint16:
      return number_text<uint16_t>(reader);
    case kInt16:
      return number_text<int16_t>(reader);
    case kUint32:
      return number_text<uint32_t>(reader);
    case kInt32:
      return number_text<int32_t>(reader);
    case kFloat32:
      return number_text<float>(reader);
    case kBool:
      return reader.number<uint8_t>() != 0 ? "true" : "false";
    case kString:
      return read_string(reader, limits);
    case kUint64:
      return number_text<uint64_t>(reader);
    case kInt64:
      return number_text<int64_t>(reader);
    case kFloat64:
      return number_text<double>(reader);
    default:
      fail(ErrorKind::kFormat, "gguf: unknown type of metadata ", type);
  }
}

// Arrays are passed over: what a diffusion model needs is in its tensors.
std::string skip_array(ByteReader& reader, const GgufLimits& limits) {
  const auto type = reader.number<uint32_t>();
  const auto count = reader.number<uint64_t>();
  check(type != kArray, ErrorKind::kFormat, "gguf: arrays of arrays are not read");
  check(count <= reader.left(), ErrorKind::kFormat, "gguf: an array of ", count, " values in ", reader.left(),
        " bytes");
  for (uint64_t i = 0; i < count; ++i) read_scalar(reader, type, limits);
  return "[" + std::to_string(count) + " values]";
}

void read_metadata_entry(ByteReader& reader, const GgufLimits& limits, GgufFile& out) {
  auto key = read_string(reader, limits);
  const auto type = reader.number<uint32_t>();
  auto value = type == kArray ? skip_array(reader, limits) : read_scalar(reader, type, limits);
  const auto [at, added] = out.metadata.emplace(std::move(key), std::move(value));
  check(added, ErrorKind::kFormat, "gguf: the key ", printable(at->first), " is there twice");
}

// Where the data of a tensor lies, relative to the data section.
struct Place {
  uint64_t offset = 0, bytes = 0;
};

Place read_tensor_info(ByteReader& reader, const GgufLimits& limits, GgufTensor& out) {
  out.name = read_string(reader, limits);
  const auto rank = reader.number<uint32_t>();
  check(rank <= kMaxGgufRank, ErrorKind::kFormat, "gguf: tensor ", printable(out.name), ": expected at most ",
        kMaxGgufRank, " dimensions, got ", rank);
  for (uint32_t i = 0; i < rank; ++i) out.shape.insert(out.shape.begin(), reader.number<int64_t>());
  const auto type = reader.number<uint32_t>();
  const auto block = find_gguf_block(type);
  check(block.has_value(), ErrorKind::kFormat, "gguf: tensor ", printable(out.name), ": number type ", type,
        " is not read");
  out.type = static_cast<GgufType>(type);
  const auto elements = static_cast<uint64_t>(element_count(out.name, out.shape));
  const uint64_t row = out.shape.empty() ? 1 : static_cast<uint64_t>(out.shape.back());
  check(row % block->elements == 0, ErrorKind::kFormat, "gguf: tensor ", printable(out.name),
        ": expected rows of whole blocks of ", block->elements, ", got ", row);
  Place place{.offset = reader.number<uint64_t>()};
  check(!__builtin_mul_overflow(elements / block->elements, block->bytes, &place.bytes), ErrorKind::kFormat,
        "gguf: tensor ", printable(out.name), ": its size overflows");
  return place;
}

uint64_t find_alignment(const GgufFile& file) {
  const auto found = file.metadata.find("general.alignment");
  if (found == file.metadata.end()) return 32;
  const std::string& text = found->second;
  const bool digits = !text.empty() && text.size() < 8 && text.find_first_not_of("0123456789") == text.npos;
  const uint64_t value = digits ? std::stoull(text) : 0;
  check(value >= 1 && value <= kMaxAlignment && (value & (value - 1)) == 0, ErrorKind::kFormat,
        "gguf: expected general.alignment to be a power of two, got ", printable(text));
  return value;
}

void check_disjoint(std::vector<std::pair<uint64_t, uint64_t>> extents) {
  std::sort(extents.begin(), extents.end());
  for (size_t i = 1; i < extents.size(); ++i) {
    check(extents[i].first >= extents[i - 1].second, ErrorKind::kFormat, "gguf: tensors overlap at ",
          extents[i].first);
  }
}

// Points the tensors at their data.
void place_tensors(ByteReader& reader, const std::vector<Place>& places, GgufFile& out) {
  const uint64_t alignment = find_alignment(out);
  const uint64_t gap = (alignment - reader.position() % alignment) % alignment;
  if (!places.empty()) reader.take(gap);
  const uint64_t base = reader.position(), room = reader.left();
  std::vector<std::pair<uint64_t, uint64_t>> extents;
  std::set<std::string_view> names;
  for (size_t i = 0; i < places.size(); ++i) {
    auto& tensor = out.tensors[i];
    const auto [offset, bytes] = places[i];
    check(offset <= room && bytes <= room - offset && offset % alignment == 0, ErrorKind::kFormat,
          "gguf: tensor ", printable(tensor.name), ": expected it aligned and inside the ", room,
          " bytes of data, got ", bytes, " bytes at ", offset);
    check(names.insert(tensor.name).second, ErrorKind::kFormat, "gguf: the name ", printable(tensor.name),
          " is there twice");
    reader.seek(base + offset);
    tensor.data = reader.take(bytes);
    if (bytes > 0) extents.emplace_back(offset, offset + bytes);
  }
  check_disjoint(std::move(extents));
}

}  // namespace

bool is_gguf(std::span<const std::byte> bytes) {
  return bytes.size() >= 4 && ByteReader(bytes, "gguf").number<uint32_t>() == kGgufMagic;
}

GgufFile parse_gguf(std::span<const std::byte> bytes, const GgufLimits& limits) {
  ByteReader reader(bytes, "gguf");
  check(reader.number<uint32_t>() == kGgufMagic, ErrorKind::kFormat, "gguf: expected the magic 'GGUF'");
  GgufFile out{.version = reader.number<uint32_t>()};
  check(out.version == 2 || out.version == 3, ErrorKind::kFormat, "gguf: expected version 2 or 3, got ",
        out.version);
  const auto tensors = reader.number<uint64_t>(), entries = reader.number<uint64_t>();
  check(std::max(tensors, entries) <= limits.max_entries, ErrorKind::kFormat, "gguf: expected at most ",
        limits.max_entries, " tensors and keys, got ", tensors, " and ", entries);
  for (uint64_t i = 0; i < entries; ++i) read_metadata_entry(reader, limits, out);
  std::vector<Place> places;
  for (uint64_t i = 0; i < tensors; ++i) {
    places.push_back(read_tensor_info(reader, limits, out.tensors.emplace_back()));
  }
  place_tensors(reader, places, out);
  return out;
}

}  // namespace ldm
