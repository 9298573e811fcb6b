// The formats without code in them: safetensors, npy and npz, GGUF, weight indices, JSON.
#include <utility>

#include "tests/io/file_builders.h"
#include "tests/io/hostile_cases.h"
#include "tests/io/safetensors_builder.h"

namespace ldm::testing {
namespace {

using PlainCases = std::vector<HostileCase>;
using enum HostileCase::Reader;

const char kGoodHeader[] =
    R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[3],"data_offsets":[8,11]}})";

void add_safetensors(PlainCases& out) {
  for (const char* entry : {R"({"dtype":"F32","shape":[2],"data_offsets":[0,7]})",
                            R"({"dtype":"F32","shape":[2],"data_offsets":[0,16]})",
                            R"({"dtype":"F32","shape":[2],"data_offsets":[8,0]})",
                            R"({"dtype":"F32","shape":[2],"data_offsets":[1,9]})",
                            R"({"dtype":"F32","shape":[2],"data_offsets":[-8,0]})",
                            R"({"dtype":"F32","shape":[2],"data_offsets":[0,8,8]})",
                            R"({"dtype":"F32","shape":[2],"data_offsets":[0,1e1]})",
                            R"({"dtype":"F32","shape":[2]})",
                            R"({"dtype":"F31","shape":[2],"data_offsets":[0,8]})",
                            R"({"dtype":32,"shape":[2],"data_offsets":[0,8]})",
                            R"({"dtype":"F32","shape":2,"data_offsets":[0,8]})",
                            R"({"dtype":"F32","shape":[-2],"data_offsets":[0,8]})",
                            R"({"dtype":"F32","shape":[2.0],"data_offsets":[0,8]})",
                            R"({"dtype":"F32","shape":["2"],"data_offsets":[0,8]})",
                            R"({"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,8]})",
                            R"({"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]})",
                            R"({"dtype":"F32","shape":[2,3],"data_offsets":[0,8]})",
                            R"({"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1})",
                            R"({"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]})",
                            R"([])",
                            R"("F32")",
                            R"(null)"}) {
    out.push_back({kSafetensors, std::string("safetensors: ") + entry,
                   make_file("{\"a\":" + std::string(entry) + "}", 8)});
  }
  out.push_back({kSafetensors, "safetensors: 10000 levels",
                 make_file("{\"a\":" + std::string(10'000, '[') + std::string(10'000, ']') + "}", 0)});
  for (const uint64_t length : {0ULL, 1ULL, 1ULL << 32, 1ULL << 62, ~0ULL, ~0ULL - 7}) {
    out.push_back({kSafetensors, "safetensors: header of " + std::to_string(length),
                   length_bytes(length) + kGoodHeader + std::string(11, '\0')});
  }
  out.push_back({kSafetensors, "safetensors: more data", make_file(kGoodHeader, 12)});
}

void add_npy(PlainCases& out) {
  for (const char* header :
       {"", "{}", "{'descr': '<f4'}", "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 4), }",
        "{'descr': '>f4', 'fortran_order': False, 'shape': (2, 3), }",
        "{'descr': '|O', 'fortran_order': False, 'shape': (3,), }",
        "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (6,), }",
        "{'descr': '<f4', 'fortran_order': 0, 'shape': (2, 3), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-2, -3), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2 3), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': 6, }",
        "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), 'x': 1}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), } 7",
        "__import__('os').system('touch /tmp/ldm_hostile_marker')",
        "{'descr': '<U6', 'fortran_order': False, 'shape': (1,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': "
        "(1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,6), }"}) {
    out.push_back({kNpy, std::string("npy: ") + header, make_npy(header, six_floats())});
  }
  out.push_back({kNpy, "npy: version 9",
                 make_npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", six_floats(), 9)});
  out.push_back({kNpz, "npz: another entry", make_zip({{.name = "run.py", .content = "x"}})});
  out.push_back({kNpz, "npz: bad array", make_zip({{.name = "a.npy", .content = "x"}})});
  out.push_back({kNpz, "npz: wrong checksum",
                 make_zip({{.name = "a.npy", .content = good_npy(), .deflate = true, .claimed_crc = 1}})});
}

void add_gguf(PlainCases& out) {
  const auto with = [&](std::string name, const GgufText& text) {
    out.push_back({kGguf, "gguf: " + std::move(name), make_gguf(text)});
  };
  with("magic", {.magic = 0x47475546});
  for (const uint32_t version : {0U, 1U, 4U, 0x03000000U})
    with("version " + std::to_string(version), {.version = version});
  for (const int64_t count : {2LL, 100'000LL, 1LL << 32, 1LL << 62, 0x7FFFFFFFFFFFFFFFLL}) {
    with(std::to_string(count) + " tensors", {.tensors = count});
    if (count > 2) with(std::to_string(count) + " keys", {.entries = count});
  }
  for (const uint32_t rank : {0U, 5U, 0xFFFFFFFFU}) with("rank " + std::to_string(rank), {.rank = rank});
  for (const uint32_t type : {4U, 5U, 9U, 10U, 11U, 15U, 31U, 39U, 0xFFFFFFFFU})
    with("type " + std::to_string(type), {.type = type});
  for (const uint64_t size : {9ULL, 1ULL << 61, 1ULL << 62, 1ULL << 63, ~0ULL})
    with("size " + std::to_string(size), {.size = size});
  for (const uint64_t offset : {1ULL, 32ULL, 1ULL << 63, ~0ULL - 31})
    with("offset " + std::to_string(offset), {.offset = offset});
  with("half a block", {.type = 8, .size = 16});
  for (const uint32_t type : {13U, 99U, 0xFFFFFFFFU})
    with("metadata of type " + std::to_string(type), {.metadata = gguf_entry("k", type, le(uint64_t{0}))});
  with("text of 2^60 bytes", {.metadata = gguf_entry("k", 8, le(uint64_t{1} << 60))});
  with("array of 2^60", {.metadata = gguf_entry("k", 9, le(uint32_t{0}) + le(uint64_t{1} << 60))});
  with("array of arrays", {.metadata = gguf_entry("k", 9, le(uint32_t{9}) + le(uint64_t{1}))});
  with("key twice", {.entries = 2, .metadata = gguf_entry("k", 0, "x") + gguf_entry("k", 0, "x")});
  for (const uint32_t value : {0U, 3U, 1U << 20})
    with("alignment " + std::to_string(value), {.metadata = gguf_entry("general.alignment", 4, le(value))});
}

void add_index(PlainCases& out) {
  for (const char* text :
       {"", "[]", "{}", R"({"weight_map":[]})", R"({"weight_map":{"a":1}})", R"({"weight_map":{"a":"../x"}})",
        R"({"weight_map":{"a":"/etc/passwd"}})", R"({"weight_map":{"a":""}})", R"({"weight_map":{"a":".."}})",
        R"({"weight_map":{"a":"x\u0000y"}})", R"({"weight_map":{"a":"x","a":"y"}})"})
    out.push_back({kIndex, std::string("index: ") + text, text});
}

void add_json(PlainCases& out) {
  const std::string deep(65, '['), shut(65, ']');
  const std::pair<const char*, std::string> texts[] = {
      {"nothing", ""},
      {"white space", " \n"},
      {"two values", "{} {}"},
      {"a comment", "{/* no */}"},
      {"a line comment", "{} // no"},
      {"a trailing comma", "[1,]"},
      {"a trailing comma of an object", R"({"a":1,})"},
      {"a key without quotes", "{a:1}"},
      {"single quotes", "{'a':1}"},
      {"a key that is a number", "{1:1}"},
      {"a key without a value", R"({"a"})"},
      {"no comma", R"({"a":1 "b":2})"},
      {"a key twice", R"({"a":1,"a":2})"},
      {"a key twice, deep", R"({"x":[{"a":1,"a":2}]})"},
      {"a key twice, spelled differently", R"({"a":1,"\u0061":2})"},
      {"NaN", "[NaN]"},
      {"infinity", "[-Infinity]"},
      {"a plus", "[+1]"},
      {"a leading zero", "[01]"},
      {"a point without digits", "[1.]"},
      {"an exponent without digits", "[1e]"},
      {"hexadecimal", "[0x10]"},
      {"a number beyond double", "[1e999]"},
      {"a word", "[nul]"},
      {"capitals", "[True]"},
      {"an unknown escape", R"(["\x41"])"},
      {"half an escape", R"(["\u12"])"},
      {"a lone high surrogate", R"(["\ud800"])"},
      {"a lone low surrogate", R"(["\udc00"])"},
      {"a control character", "[\"a\nb\"]"},
      {"a zero byte", std::string("[1]\0", 4)},
      {"a zero byte in a text", std::string("[\"a\0b\"]", 7)},
      {"a byte order mark", "\xEF\xBB\xBF[]"},
      {"UTF-16", std::string("\xFF\xFE[\0]\0", 6)},
      {"bytes that are not UTF-8", "[\"\xC3\x28\"]"},
      {"an overlong slash", "[\"\xC0\xAF\"]"},
      {"a surrogate in UTF-8", "[\"\xED\xA0\x80\"]"},
      {"65 levels", deep + shut},
      {"65 levels of objects",
       [] {
         std::string text = "1";
         for (int i = 0; i < 65; ++i) text = "{\"a\":" + text + "}";
         return text;
       }()},
      {"a million levels", std::string(1'000'000, '[')},
      {"a million levels of objects",
       [] {
         std::string text;
         for (int i = 0; i < 200'000; ++i) text += "{\"a\":";
         return text;
       }()},
      {"an end too many", "[]]"},
      {"another end", "[}"},
  };
  for (const auto& [name, text] : texts) out.push_back({kJson, std::string("json: ") + name, text});
}

}  // namespace

std::string good_safetensors() { return make_file(kGoodHeader, 11); }

void add_plain_cases(std::vector<HostileCase>& out) {
  add_safetensors(out);
  add_npy(out);
  add_gguf(out);
  add_index(out);
  add_json(out);
}

}  // namespace ldm::testing
