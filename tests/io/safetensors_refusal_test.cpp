#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "ldm/core/error.h"
#include "ldm/core/random.h"
#include "ldm/io/file.h"
#include "ldm/io/safetensors.h"
#include "tests/io/safetensors_builder.h"

namespace ldm {
namespace {

// "" if the file is taken; otherwise the error, which must be one short line of kind kFormat.
std::string refusal(std::string_view file, const SafetensorsLimits& limits = {}) {
  try {
    parse_safetensors(as_bytes(file), limits);
    return "";
  } catch (const Error& error) {
    const std::string message = error.what();
    EXPECT_EQ(error.kind(), ErrorKind::kFormat) << message;
    EXPECT_EQ(message.find('\n'), message.npos) << message;
    EXPECT_LT(message.size(), 400u) << message;
    return message;
  }
}

struct Malformed {
  const char* what;
  std::string file;
  const char* message;  // A part of the error.
};

// A header with one tensor "a".
std::string one(const std::string& entry, size_t data_size) {
  return make_file("{\"a\":" + entry + "}", data_size);
}

std::string two(const std::string& a, const std::string& b, size_t data_size) {
  return make_file(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":)" + a +
                       R"(},"b":{"dtype":"U8","shape":[2],"data_offsets":)" + b + "}}",
                   data_size);
}

const std::vector<Malformed>& malformed_headers() {
  static const std::vector<Malformed> cases{
      {"empty file", "", "expected at least 8 bytes, got 0"},
      {"length only", length_bytes(0), "begins with '{'"},
      {"length past the end", length_bytes(100) + "{}", "expected a header of 100 bytes"},
      {"length by one too large", length_bytes(3) + "{}", "expected a header of 3 bytes"},
      {"enormous length", length_bytes(~uint64_t{0}) + "{}", "expected a header of at most"},
      {"length near overflow", length_bytes(~uint64_t{0} - 7) + "{}", "expected a header of at most"},
      {"space before the brace", make_file(" {}", 0), "begins with '{'"},
      {"a list", make_file("[]", 0), "begins with '{'"},
      {"a string", make_file("\"{}\"", 0), "begins with '{'"},
      {"zeros", make_file(std::string(2, '\0'), 0), "begins with '{'"},
      {"no JSON", make_file("{a}", 0), "expected JSON"},
      {"cut JSON", make_file("{\"a\":", 0), "expected JSON"},
      {"after the JSON", make_file("{}{}", 0), "expected JSON"},
      {"zeros after the JSON", make_file(std::string("{}\0\0", 4), 0), "a zero byte"},
      {"no UTF-8", make_file("{\"\xFF\":{}}", 0), "expected JSON"},
      {"deep", make_file("{\"a\":" + std::string(100, '[') + std::string(100, ']') + "}", 0),
       "nested levels"},
      {"very deep", make_file("{\"a\":" + std::string(1'000'000, '['), 0), "nested levels"},
      {"data without tensors", make_file("{}", 1), "expected the data to end"},
      {"key twice",
       make_file(
           R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
           2),
       "each key once"},
      {"member twice", one(R"({"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]})", 1),
       "each key once"},
      {"metadata twice", make_file(R"({"__metadata__":{"a":"1"},"__metadata__":{"a":"1"}})", 0),
       "each key once"},
      {"metadata is a list", make_file(R"({"__metadata__":[]})", 0), "__metadata__ to be an object"},
      {"metadata is null", make_file(R"({"__metadata__":null})", 0), "__metadata__ to be an object"},
      {"a number in metadata", make_file(R"({"__metadata__":{"a":1}})", 0), "strings in __metadata__"},
      {"a map in metadata", make_file(R"({"__metadata__":{"a":{"b":"c"}}})", 0), "strings in __metadata__"},
  };
  return cases;
}

const std::vector<Malformed>& malformed_entries() {
  static const std::vector<Malformed> cases{
      {"entry is a number", one("1", 0), "expected an object"},
      {"entry is null", one("null", 0), "expected an object"},
      {"no dtype", one(R"({"shape":[1],"data_offsets":[0,1]})", 1), "'dtype'"},
      {"no shape", one(R"({"dtype":"U8","data_offsets":[0,1]})", 1), "'shape'"},
      {"no offsets", one(R"({"dtype":"U8","shape":[1]})", 1), "'data_offsets'"},
      {"one key too many", one(R"({"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":0})", 1),
       "only the keys"},
      {"unknown dtype", one(R"({"dtype":"F33","shape":[1],"data_offsets":[0,1]})", 1), "number type"},
      {"lower-case dtype", one(R"({"dtype":"u8","shape":[1],"data_offsets":[0,1]})", 1), "number type"},
      {"dtype is a number", one(R"({"dtype":8,"shape":[1],"data_offsets":[0,1]})", 1),
       "dtype to be a string"},
      {"shape is a number", one(R"({"dtype":"U8","shape":1,"data_offsets":[0,1]})", 1), "shape to be a list"},
      {"shape is a map", one(R"({"dtype":"U8","shape":{},"data_offsets":[0,1]})", 1), "shape to be a list"},
      {"negative size", one(R"({"dtype":"U8","shape":[-1],"data_offsets":[0,1]})", 1), "integers >= 0"},
      {"negative product", one(R"({"dtype":"U8","shape":[-1,-1],"data_offsets":[0,1]})", 1), "integers >= 0"},
      {"fractional size", one(R"({"dtype":"U8","shape":[1.0],"data_offsets":[0,1]})", 1), "integers >= 0"},
      {"size is a string", one(R"({"dtype":"U8","shape":["1"],"data_offsets":[0,1]})", 1), "integers >= 0"},
      {"size is true", one(R"({"dtype":"U8","shape":[true],"data_offsets":[0,1]})", 1), "integers >= 0"},
      {"size beyond 64 bits", one(R"({"dtype":"U8","shape":[18446744073709551616],"data_offsets":[0,1]})", 1),
       "integers >= 0"},
      {"size beyond 63 bits", one(R"({"dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,1]})", 1),
       "overflows"},
      {"product wraps to 0", one(R"({"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]})", 0),
       "overflows"},
      {"product wraps to 1",
       one(R"({"dtype":"U8","shape":[4294967297,4294967297,9223372034707292161],"data_offsets":[0,1]})", 1),
       "overflows"},
      {"bits wrap", one(R"({"dtype":"F64","shape":[288230376151711744],"data_offsets":[0,0]})", 0),
       "overflows"},
      {"a zero hides an overflow",
       one(R"({"dtype":"U8","shape":[4294967296,4294967296,0],"data_offsets":[0,0]})", 0), "overflows"},
      {"too many dimensions",
       one(R"({"dtype":"U8","shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],"data_offsets":[0,1]})",
           1),
       "dimensions"},
      {"half a byte", one(R"({"dtype":"F4","shape":[3],"data_offsets":[0,2]})", 2), "whole bytes"},
      {"three quarters of a byte", one(R"({"dtype":"F6_E3M2","shape":[1],"data_offsets":[0,1]})", 1),
       "whole bytes"},
  };
  return cases;
}

const std::vector<Malformed>& malformed_layouts() {
  static const std::vector<Malformed> cases{
      {"one offset", one(R"({"dtype":"U8","shape":[1],"data_offsets":[0]})", 1), "[begin, end]"},
      {"three offsets", one(R"({"dtype":"U8","shape":[1],"data_offsets":[0,1,2]})", 1), "[begin, end]"},
      {"offsets are a map", one(R"({"dtype":"U8","shape":[1],"data_offsets":{"0":0,"1":1}})", 1),
       "[begin, end]"},
      {"negative offset", one(R"({"dtype":"U8","shape":[1],"data_offsets":[-1,0]})", 1), "integers >= 0"},
      {"fractional offset", one(R"({"dtype":"U8","shape":[1],"data_offsets":[0,1.0]})", 1), "integers >= 0"},
      {"backward", one(R"({"dtype":"U8","shape":[1],"data_offsets":[1,0]})", 1), "inside the file"},
      {"past the end", one(R"({"dtype":"U8","shape":[2],"data_offsets":[0,2]})", 1), "inside the file"},
      {"far past the end",
       one(R"({"dtype":"U8","shape":[1],"data_offsets":[18446744073709551614,18446744073709551615]})", 1),
       "inside the file"},
      {"fewer bytes than the shape", one(R"({"dtype":"F32","shape":[2],"data_offsets":[0,4]})", 4),
       "expected 8 bytes"},
      {"more bytes than the shape", one(R"({"dtype":"F32","shape":[2],"data_offsets":[0,12]})", 12),
       "expected 8 bytes"},
      {"bytes for an empty tensor", one(R"({"dtype":"F32","shape":[0],"data_offsets":[0,4]})", 4),
       "expected 0 bytes"},
      {"hole at the front", one(R"({"dtype":"U8","shape":[1],"data_offsets":[1,2]})", 2), "without hole"},
      {"bytes at the end", one(R"({"dtype":"U8","shape":[1],"data_offsets":[0,1]})", 2),
       "expected the data to end"},
      {"hole between", two("[0,2]", "[3,5]", 5), "without hole"},
      {"overlap", two("[0,2]", "[1,3]", 3), "without hole"},
      {"same bytes", two("[0,2]", "[0,2]", 2), "without hole"},
      {"same bytes, other order", two("[2,4]", "[2,4]", 4), "without hole"},
      {"empty tensor inside another",
       make_file(
           R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[0],"data_offsets":[1,1]}})",
           2),
       "without hole"},
  };
  return cases;
}

void expect_refused(const std::vector<Malformed>& cases) {
  for (const auto& [what, file, part] : cases) {
    const std::string message = refusal(file);
    EXPECT_NE(message.find(part), message.npos) << what << ": " << (message.empty() ? "was taken" : message);
  }
}

TEST(SafetensorsRefusal, Headers) { expect_refused(malformed_headers()); }
TEST(SafetensorsRefusal, Entries) { expect_refused(malformed_entries()); }
TEST(SafetensorsRefusal, Layouts) { expect_refused(malformed_layouts()); }

TEST(SafetensorsRefusal, LimitsAreOptions) {
  const std::string file = make_file(R"({"__metadata__":{"k":")" + std::string(1000, 'v') + R"("}})", 0);
  EXPECT_EQ(refusal(file), "");
  EXPECT_NE(refusal(file, {.max_header_bytes = 500}), "");
  EXPECT_NE(
      refusal(make_file(R"({"a":{"dtype":"U8","shape":[1,1],"data_offsets":[0,1]}})", 1), {.max_rank = 1}),
      "");
}

TEST(SafetensorsRefusal, ControlCharactersStayOutOfTheLine) {
  const auto message = refusal(make_file(R"({"a\nb\u001b[31m":1})", 0));
  EXPECT_NE(message.find("'a?b?[31m'"), message.npos) << message;
}

const std::string& valid_file() {
  static const std::string file =
      make_file(R"({"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                R"("b":{"dtype":"U8","shape":[3,2],"data_offsets":[8,14]}})",
                14);
  return file;
}

TEST(SafetensorsRefusal, EveryTruncation) {
  ASSERT_EQ(refusal(valid_file()), "");
  for (size_t size = 0; size < valid_file().size(); ++size) {
    EXPECT_NE(refusal(std::string_view(valid_file()).substr(0, size)), "") << size << " bytes were taken";
  }
}

TEST(SafetensorsRefusal, EveryExtension) {
  for (const char extra : {'\0', ' ', '}', '\xFF'}) EXPECT_NE(refusal(valid_file() + extra), "");
}

TEST(SafetensorsRefusal, EveryOtherLength) {
  const size_t header = valid_file().size() - 14 - 8;
  for (uint64_t length = 0; length < valid_file().size() + 4; ++length) {
    if (length == header) continue;
    EXPECT_NE(refusal(length_bytes(length) + valid_file().substr(8)), "") << length;
  }
}

// Whatever comes in, the answer is a tensor list that fits the file or an error.
TEST(SafetensorsRefusal, RandomDamageNeverHurts) {
  Random random(1, "damage");
  int refused = 0;
  for (int trial = 0; trial < 5000; ++trial) {
    std::string file = valid_file();
    for (int64_t flips = 1 + random.below(4); flips > 0; --flips) {
      constexpr std::string_view kSigns = "0123456789[]{},:\"-+.eE \\u";
      char& c = file[static_cast<size_t>(random.below(static_cast<int64_t>(file.size())))];
      c = random.below(2) ? kSigns[static_cast<size_t>(random.below(static_cast<int64_t>(kSigns.size())))]
                          : static_cast<char>(random.below(256));
    }
    refused += refusal(file).empty() ? 0 : 1;
  }
  EXPECT_GT(refused, 2500);
}

}  // namespace
}  // namespace ldm
