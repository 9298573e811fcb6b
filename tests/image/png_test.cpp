#include "ldm/image/png.h"

#include <filesystem>

#include "tests/image/fixtures.h"
#include "tests/image/png_parts.h"

namespace ldm {
namespace {

using test::big_endian;
using test::chunk;
using test::deflated;
using test::expect_error;
using test::pattern;

PngText text_of(const std::string& chunks) {
  return read_png_text(as_bytes("\x89PNG\r\n\x1a\n" + chunks + chunk("IEND", "")));
}

const std::string kNul(1, '\0');

TEST(Png, RoundTripOfEachShape) {
  for (const Image& image : {pattern(), test::pattern_rgba(), to_grey(pattern()), make_image(1, 1, 3, 200)}) {
    const auto bytes = encode_png(image);
    EXPECT_EQ(decode_png(bytes).image, image);
    EXPECT_EQ(encode_png(image), bytes);  // The same input gives the same bytes.
  }
}

TEST(Png, TextRoundTrip) {
  const PngText text{
      {"parameters", "a caf\u00e9\nsecond line"}, {"Title", "\u732b \U0001F408"}, {"ldm", "{}"}, {"ldm", ""}};
  const auto bytes = encode_png(pattern(), text);
  EXPECT_EQ(read_png_text(bytes), text);
  EXPECT_EQ(decode_png(bytes).image, pattern());
  EXPECT_EQ(find_text(text, "Title"), "\u732b \U0001F408");
  EXPECT_EQ(find_text(text, "absent"), "");
}

TEST(Png, Latin1WherePossible) {
  EXPECT_EQ(make_text_chunk("k", "\u00e9").type, "tEXt");
  EXPECT_EQ(make_text_chunk("k", "\u00e9").data, std::string("k\0\xe9", 3));
  EXPECT_EQ(make_text_chunk("k", "\u732b").type, "iTXt");
}

TEST(Png, ReadsCompressedText) {
  EXPECT_EQ(text_of(chunk("zTXt", "a" + kNul + kNul + deflated("packed"))), (PngText{{"a", "packed"}}));
  const std::string head = "b" + kNul + "\x01" + kNul + "en" + kNul + "key" + kNul;
  EXPECT_EQ(text_of(chunk("iTXt", head + deflated("\u732b"))), (PngText{{"b", "\u732b"}}));
}

TEST(Png, LeavesOutDamagedAndLongTexts) {
  EXPECT_TRUE(text_of(chunk("zTXt", "a" + kNul + kNul + deflated(std::string(2 << 20, 'x')))).empty());
  EXPECT_TRUE(text_of(chunk("zTXt", "a" + kNul + kNul + deflated("packed").substr(0, 8))).empty());
  EXPECT_TRUE(text_of(chunk("tEXt", "no separator")).empty());
  EXPECT_TRUE(text_of(chunk("iTXt", "a" + std::string(5, '\0') + "\xff")).empty());
  auto wrong_sum = chunk("tEXt", "a" + kNul + "b");
  wrong_sum.back() ^= 1;
  EXPECT_TRUE(text_of(wrong_sum).empty());
}

TEST(Png, RefusesBrokenStructure) {
  expect_error(ErrorKind::kFormat, "expected a PNG", [] { read_png_text(as_bytes("GIF89a")); });
  const auto bytes = encode_png(pattern());
  expect_error(ErrorKind::kFormat, "ends early",
               [&] { read_png_text(std::span(bytes).first(bytes.size() - 1)); });
}

TEST(Png, RefusesTextThatNoReaderCouldRead) {
  const auto write = [](const std::string& key, const std::string& text) {
    encode_png(pattern(), {{key, text}});
  };
  expect_error(ErrorKind::kUsage, "keyword", [&] { write("", "x"); });
  expect_error(ErrorKind::kUsage, "keyword", [&] { write(std::string(80, 'k'), "x"); });
  expect_error(ErrorKind::kUsage, "keyword", [&] { write("tab\t", "x"); });
  expect_error(ErrorKind::kUsage, "keyword", [&] { write(" k", "x"); });
  expect_error(ErrorKind::kUsage, "not UTF-8", [&] { write("k", "\xff"); });
  expect_error(ErrorKind::kUsage, "NUL", [&] { write("k", kNul); });
}

TEST(Png, WritesFiles) {
  const auto path = std::filesystem::path(testing::TempDir()) / "ldm_png_test.png";
  write_png(path, pattern(), {{"k", "v"}});
  const auto bytes = read_file(path, 1 << 20);
  EXPECT_EQ(decode_png(bytes).image, pattern());
  std::filesystem::remove(path);
  expect_error(ErrorKind::kData, "absent", [] { write_png("/absent/folder/a.png", pattern()); });
}

}  // namespace
}  // namespace ldm
