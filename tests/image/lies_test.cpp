// Pictures whose headers lie: sizes, counts, lengths, kinds. Each is refused in one line before memory is
// taken for what it claims.
#include <sys/resource.h>
#include <zlib.h>

#include <chrono>

#include "ldm/image/decode.h"
#include "tests/image/fixtures.h"

namespace ldm {
namespace {

struct Lie {
  std::string name, bytes;
};
using Lies = std::vector<Lie>;

std::string text_of(const std::string& fixture) { return std::string(as_text(test::fixture(fixture))); }

template <typename T>
std::string big(T value) {
  std::string out(sizeof(T), '\0');
  for (size_t i = 0; i < sizeof(T); ++i)
    out[i] = static_cast<char>(static_cast<uint64_t>(value) >> (8 * (sizeof(T) - 1 - i)) & 0xFF);
  return out;
}

template <typename T>
std::string little(T value) {
  std::string out = big(value);
  return {out.rbegin(), out.rend()};
}

std::string with(std::string bytes, size_t at, const std::string& other) {
  return bytes.replace(at, other.size(), other);
}

// A PNG chunk with its true checksum; `claimed`: another length.
std::string chunk(const std::string& type, const std::string& data, int64_t claimed = -1) {
  const auto body = type + data;
  const auto crc = crc32_z(0, reinterpret_cast<const Bytef*>(body.data()), body.size());
  return big(static_cast<uint32_t>(claimed < 0 ? static_cast<int64_t>(data.size()) : claimed)) + body +
         big(static_cast<uint32_t>(crc));
}

std::string deflated(const std::string& data) {
  auto size = compressBound(data.size());
  std::string out(size, '\0');
  compress(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(data.data()),
           data.size());
  out.resize(size);
  return out;
}

// Width, height, depth, colour type, compression, filter, interlace.
std::string png_header(uint32_t width, uint32_t height, const std::string& rest) {
  return chunk("IHDR", big(width) + big(height) + rest);
}
const std::string kPng = "\x89PNG\r\n\x1a\n", kEnd = chunk("IEND", "");
const std::string kGrey("\x08\0\0\0\0", 5);

void add_png(Lies& out) {
  // Two rows of two grey pixels, each after its filter.
  const auto data = chunk("IDAT", deflated(std::string("\0\1\2\0\3\4", 6)));
  const auto add = [&](const std::string& name, const std::string& rest) {
    out.push_back({"png: " + name, kPng + rest});
  };
  for (const uint32_t side : {0U, 16385U, 65536U, 0x7FFFFFFFU, 0x80000000U, 0xFFFFFFFFU}) {
    add("width " + std::to_string(side), png_header(side, 2, kGrey) + data + kEnd);
    add("height " + std::to_string(side), png_header(2, side, kGrey) + data + kEnd);
    add("side " + std::to_string(side), png_header(side, side, kGrey) + data + kEnd);
  }
  for (const char* rest :
       {"\x03\0\0\0\0", "\x20\0\0\0\0", "\0\0\0\0\0", "\x08\1\0\0\0", "\x08\5\0\0\0", "\x08\x08\0\0\0",
        "\x04\2\0\0\0", "\x10\3\0\0\0", "\x08\0\1\0\0", "\x08\0\0\1\0", "\x08\0\0\0\2"}) {
    const std::string five(rest, 5);
    add("header " + std::to_string(five[0]) + " " + std::to_string(five[1]),
        png_header(2, 2, five) + data + kEnd);
  }
  const auto header = png_header(2, 2, kGrey);
  add("three rows promised", png_header(2, 3, kGrey) + data + kEnd);
  add("no data", header + kEnd);
  add("no end", header + data);
  add("no header", data + kEnd);
  add("data first", data + header + kEnd);
  add("header twice", header + header + data + kEnd);
  add("data that is not deflated", header + chunk("IDAT", "abcdefgh") + kEnd);
  add("an unknown filter", header + chunk("IDAT", deflated(std::string("\7\1\2\0\3\4", 6))) + kEnd);
  add("an unknown critical chunk", header + chunk("ABCD", "x") + data + kEnd);
  add("a wrong checksum", with(header, header.size() - 1, "?") + data + kEnd);
  for (const int64_t length : {1LL << 31, 0xFFFFFFFFLL, 1LL << 30, 1000LL, 0LL})
    add("data of " + std::to_string(length), header + chunk("IDAT", deflated("abc"), length) + kEnd);
  const auto palette = png_header(2, 2, std::string("\x08\3\0\0\0", 5));
  add("no palette", palette + data + kEnd);
  add("a palette of no colour", palette + chunk("PLTE", "") + data + kEnd);
  add("a palette of 257 colours", palette + chunk("PLTE", std::string(771, 'x')) + data + kEnd);
  add("a palette of a third", palette + chunk("PLTE", "ab") + data + kEnd);
  // A million to one: a quarter of a gigabyte of pixels behind a few kilobytes.
  add("a bomb", png_header(16384, 16384, kGrey) + chunk("IDAT", deflated(std::string(1 << 24, '\0'))) + kEnd);
}

// Where the segment of a JPEG with this marker has its content.
size_t segment(const std::string& jpeg, char marker) { return jpeg.find(std::string("\xFF") + marker) + 4; }

void add_jpeg(Lies& out) {
  const auto good = text_of("smooth_420.jpg");
  const size_t frame = segment(good, '\xC0'), scan = segment(good, '\xDA'), tables = segment(good, '\xDB'),
               codes = segment(good, '\xC4');
  const auto add = [&](const std::string& name, size_t at, const std::string& other) {
    out.push_back({"jpeg: " + name, with(good, at, other)});
  };
  for (const char* bits : {"\x0C", "\x10", "\0", "\xFF"}) add("precision", frame, std::string(bits, 1));
  for (const uint16_t side : {0, 65535}) {
    add("height " + std::to_string(side), frame + 1, big(side));
    add("width " + std::to_string(side), frame + 3, big(side));
  }
  for (const char n : {'\0', '\1', '\2', '\5', '\xFF'}) add("components", frame + 5, std::string(1, n));
  for (const char s : {'\0', '\x01', '\x10', '\x55', '\xFF'}) add("sampling", frame + 7, std::string(1, s));
  add("a missing table", frame + 8, "\3");
  for (const char n : {'\0', '\4', '\5', '\xFF'}) add("components of the scan", scan, std::string(1, n));
  add("an unknown component", scan + 1, "\x7F");
  add("a missing code", scan + 2, "\x33");
  for (const size_t at : {frame, scan, tables, codes}) {
    for (const uint16_t length : {0, 1, 3, 65535})
      add("a segment of " + std::to_string(length), at - 2, big(length));
  }
  for (const char c : {'\xFF', '\x40'}) add("a code table", codes, std::string(1, c));
  add("too many codes", codes + 1, std::string(16, '\xFF'));
  add("no start", 0, "\xFF\xD9");
  add("two starts", 2, "\xFF\xD8");
}

void add_webp(Lies& out) {
  for (const char* name : {"smooth.webp", "rgba.webp", "animated.webp"}) {
    const auto good = text_of(name);
    const auto add = [&](const std::string& what, size_t at, const std::string& other) {
      out.push_back({std::string(name) + ": " + what, with(good, at, other)});
    };
    for (const uint32_t size : {0U, 4U, 11U, 0x7FFFFFFFU, 0xFFFFFFFFU}) {
      add("riff of " + std::to_string(size), 4, little(size));
      add("first chunk of " + std::to_string(size), 16, little(size));
    }
    add("another form", 8, "WAVE");
    add("another chunk", 12, "ABCD");
  }
  // The canvas of an extended file: width and height less one in 24 bits.
  const auto animated = text_of("animated.webp");
  const size_t canvas = animated.find("VP8X") + 12;
  out.push_back({"webp: canvas of 2^24", with(animated, canvas, std::string(6, '\xFF'))});
  out.push_back({"webp: canvas of one pixel", with(animated, canvas, std::string(6, '\0'))});
}

void add_bmp(Lies& out) {
  const auto good = text_of("rgb.bmp");
  const auto add = [&](const std::string& name, size_t at, const std::string& other) {
    out.push_back({"bmp: " + name, with(good, at, other)});
  };
  for (const int32_t side : {0, 16385, 65536, 0x7FFFFFFF, INT32_MIN}) {
    add("width " + std::to_string(side), 18, little(side));
    add("height " + std::to_string(side), 22, little(side));
  }
  add("negative width", 18, little(int32_t{-24}));
  for (const uint16_t bits : {0, 3, 7, 33, 65535}) add("bits " + std::to_string(bits), 28, little(bits));
  for (const uint32_t way : {1U, 2U, 4U, 5U, 99U}) add("compression " + std::to_string(way), 30, little(way));
  for (const uint32_t place : {0U, 13U, 0x7FFFFFFFU, 0xFFFFFFFFU})
    add("pixels at " + std::to_string(place), 10, little(place));
  for (const uint32_t size : {0U, 11U, 0xFFFFFFFFU})
    add("header of " + std::to_string(size), 14, little(size));
}

Lies all_lies() {
  Lies out;
  add_png(out);
  add_jpeg(out);
  add_webp(out);
  add_bmp(out);
  return out;
}

int64_t peak_kib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

TEST(Lies, AreRefusedInOneLineAndCostNothing) {
  const auto lies = all_lies();
  const auto before = peak_kib();
  for (const auto& [name, bytes] : lies) {
    const auto began = std::chrono::steady_clock::now();
    std::string said;
    try {
      decode_image(as_bytes(bytes));
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kFormat) << name << ": " << error.what();
      said = error.what();
    }
    EXPECT_NE(said, "") << name << " was taken";
    EXPECT_EQ(said.find('\n'), said.npos) << said;
    EXPECT_LT(said.size(), 300U) << said;
    EXPECT_LT(std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count(), 2.0) << name;
  }
  EXPECT_LT(peak_kib() - before, 200 << 10);
  EXPECT_GE(lies.size(), 150U);
  std::cout << lies.size() << " lying pictures, each refused\n";
}

}  // namespace
}  // namespace ldm
