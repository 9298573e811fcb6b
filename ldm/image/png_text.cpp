#include "ldm/image/png_text.h"

#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <optional>

#include "ldm/core/error.h"
#include "ldm/core/utf8.h"

namespace ldm {
namespace {

constexpr size_t kMaxText = size_t{1} << 20;
constexpr size_t kMaxTotal = size_t{64} << 20;

// Nothing if a character lies outside U+0000..U+00FF.
std::optional<std::string> utf8_to_latin1(std::string_view text) {
  std::string out;
  for (const char32_t code : decode_utf8(text)) {
    if (code > 0xff) return std::nullopt;
    out += static_cast<char>(code);
  }
  return out;
}

std::string latin1_to_utf8(std::string_view text) {
  std::string out;
  for (const char c : text) append_utf8(out, static_cast<unsigned char>(c));
  return out;
}

uint32_t big_endian(std::string_view bytes) {
  uint32_t value = 0;
  for (const char c : bytes.substr(0, 4)) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

bool crc_matches(std::string_view type_and_data, uint32_t expected) {
  const auto* data = reinterpret_cast<const Bytef*>(type_and_data.data());
  return crc32_z(0, data, type_and_data.size()) == expected;
}

// Nothing if the stream is broken, ends early or gives more than kMaxText.
std::optional<std::string> inflated(std::string_view packed) {
  std::string out(std::min(kMaxText, packed.size() * 1100 + 64),
                  '\0');  // deflate gains less than 1032 times.
  uLongf size = out.size();
  const auto* source = reinterpret_cast<const Bytef*>(packed.data());
  if (uncompress(reinterpret_cast<Bytef*>(out.data()), &size, source, packed.size()) != Z_OK)
    return std::nullopt;
  out.resize(size);
  return out;
}

// Cuts the part before the next NUL off the front of `rest`.
std::optional<std::string_view> take_field(std::string_view& rest) {
  const size_t end = rest.find('\0');
  if (end == rest.npos) return std::nullopt;
  const auto field = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return field;
}

std::optional<std::string> latin1_text(std::string_view rest, bool packed) {
  if (!packed) return latin1_to_utf8(rest);
  if (rest.empty() || rest[0] != 0) return std::nullopt;  // The one compression method.
  const auto text = inflated(rest.substr(1));
  if (!text) return std::nullopt;
  return latin1_to_utf8(*text);
}

// Compression flag, method, language, translated keyword, text.
std::optional<std::string> international_text(std::string_view rest) {
  if (rest.size() < 2 || static_cast<unsigned char>(rest[0]) > 1) return std::nullopt;
  const bool packed = rest[0] == 1;
  rest.remove_prefix(2);
  if (!take_field(rest) || !take_field(rest)) return std::nullopt;
  auto text = packed ? inflated(rest) : std::string(rest);
  if (!text || !is_utf8(*text)) return std::nullopt;
  return text;
}

void read_chunk(std::string_view type, std::string_view data, PngText& out) {
  if (type != "tEXt" && type != "zTXt" && type != "iTXt") return;
  const auto keyword = take_field(data);
  if (!keyword || keyword->empty() || keyword->size() > 79 || data.size() > kMaxText) return;
  const auto text = type == "iTXt" ? international_text(data) : latin1_text(data, type == "zTXt");
  if (text) out.emplace_back(latin1_to_utf8(*keyword), *text);
}

bool is_keyword(std::string_view keyword) {
  const bool printable =
      std::all_of(keyword.begin(), keyword.end(), [](char c) { return c >= ' ' && c <= '~'; });
  return !keyword.empty() && keyword.size() <= 79 && printable && keyword.front() != ' ' &&
         keyword.back() != ' ' && keyword.find("  ") == keyword.npos;
}

}  // namespace

PngText read_png_text(std::span<const std::byte> bytes) {
  std::string_view rest(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  constexpr std::string_view kSignature = "\x89PNG\r\n\x1a\n";
  check(rest.substr(0, 8) == kSignature, ErrorKind::kFormat, "read_png_text: expected a PNG file");
  rest.remove_prefix(8);
  PngText out;
  for (size_t total = 0; total <= kMaxTotal;) {
    const uint64_t size = rest.size() < 12 ? UINT32_MAX : big_endian(rest);
    check(rest.size() >= size + 12, ErrorKind::kFormat, "read_png_text: the file ends early");
    const auto type = rest.substr(4, 4);
    if (type == "IEND") break;
    const size_t before = out.size();
    if (crc_matches(rest.substr(4, size + 4), big_endian(rest.substr(size + 8)))) {
      read_chunk(type, rest.substr(8, size), out);
    }
    if (out.size() > before) total += out.back().second.size();
    rest.remove_prefix(size + 12);
  }
  return out;
}

std::string find_text(const PngText& text, std::string_view keyword) {
  const auto found =
      std::find_if(text.begin(), text.end(), [&](const auto& entry) { return entry.first == keyword; });
  return found == text.end() ? "" : found->second;
}

PngTextChunk make_text_chunk(std::string_view keyword, std::string_view text) {
  check(is_keyword(keyword), "encode_png: expected a keyword of 1..79 printable ASCII characters, got '",
        keyword, "'");
  check(text.find('\0') == text.npos && text.size() <= kMaxText && is_utf8(text), "encode_png: the text of '",
        keyword, "' is not UTF-8, holds NUL or is longer than ", kMaxText, " bytes");
  const std::string head(keyword);
  if (const auto latin1 = utf8_to_latin1(text)) return {"tEXt", head + '\0' + *latin1};
  return {"iTXt", head + std::string(5, '\0') + std::string(text)};
}

}  // namespace ldm
