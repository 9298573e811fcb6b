// Vocabularies from strangers: cut, lying, enormous. Each is refused in one line that blames the file.
#include <gtest/gtest.h>

#include <chrono>

#include "ldm/text/clip_tokenizer.h"
#include "ldm/text/wordpiece.h"
#include "tests/text/error_text.h"

namespace ldm {
namespace {

struct HostileVocabulary {
  std::string name, bytes;
};

// A whole vocabulary as a JSON object, with ids that do not follow from the merges.
std::string json_vocabulary() {
  const auto merges = parse_merges(text_bytes("#version: 0.2\nc a\na t</w>\n"), "merges");
  std::string vocab = R"({"<|startoftext|>":0,"<|endoftext|>":1)";
  for (const auto& [piece, usual] : BytePairs::original_ids(merges)) {
    std::string text;
    for (const char c : piece) text += (c == '"' || c == '\\' ? "\\" : "") + std::string(1, c);
    vocab += ",\"" + text + "\":" + std::to_string(usual + 2);
  }
  return R"({"merges":"#version: 0.2\nc a\na t</w>\n","vocab":)" + vocab + "}}";
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  return text.replace(text.find(from), from.size(), to);
}

std::vector<HostileVocabulary> hostile_json() {
  const auto good = json_vocabulary();
  std::vector<HostileVocabulary> out;
  for (size_t size = 1; size < good.size(); ++size)
    out.push_back({"cut to " + std::to_string(size), good.substr(0, size)});
  const std::string end = R"("<|endoftext|>":1)";
  for (const char* id : {"-1", "1.5", "1e3", "\"1\"", "null", "[1]", "1000000", "18446744073709551616"})
    out.push_back(
        {std::string("an id of ") + id, replaced(good, end, R"("<|endoftext|>":)" + std::string(id))});
  out.push_back({"no end", replaced(good, "," + end + ",", ",")});
  out.push_back({"no vocab", R"({"merges":""})"});
  out.push_back({"merges that are no text", R"({"merges":[],"vocab":{}})"});
  out.push_back({"vocab that is a list", R"({"merges":"","vocab":[]})"});
  out.push_back({"a merge of unknown pieces", replaced(good, "c a\\n", "qq zz\\n")});
  out.push_back({"a result that is no piece", replaced(good, "c a\\n", "c a\\nc b\\n")});
  out.push_back({"deep", R"({"merges":"","vocab":{"a":[[[[[1]]]]]}})"});
  return out;
}

std::vector<HostileVocabulary> hostile_merges() {
  std::string many;
  for (int i = 0; i < 1'000'001; ++i) many += "a b\n";
  return {{"three pieces", "#version: 0.2\na b c\n"},
          {"one piece", "#version: 0.2\nab\n"},
          {"no left piece", "#version: 0.2\n b\n"},
          {"no right piece", "#version: 0.2\na \n"},
          {"an empty line", "#version: 0.2\n\na b\n"},
          {"no UTF-8", "#version: 0.2\n\xC3 b\n"},
          {"unknown pieces", "#version: 0.2\nab cd\n"},
          {"zero bytes", std::string("#version: 0.2\n\0 \0\n", 18)},
          {"a million and one", many}};
}

std::vector<HostileVocabulary> hostile_word_pieces() {
  std::string many;
  for (int i = 0; i < 1'000'001; ++i) many += std::to_string(i) + "\n";
  return {{"nothing", ""},
          {"no specials", "a\nb\n"},
          {"a piece twice", "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\na\n"},
          {"an empty piece twice", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n\n\n"},
          {"a million and one", many}};
}

template <typename Read>
void expect_refused(const std::vector<HostileVocabulary>& files, Read read) {
  for (const auto& [name, bytes] : files) {
    const auto began = std::chrono::steady_clock::now();
    try {
      read(text_bytes(bytes));
      ADD_FAILURE() << name << " was taken";
    } catch (const Error& error) {
      const std::string said = error.what();
      EXPECT_EQ(error.kind(), ErrorKind::kFormat) << name << ": " << said;
      EXPECT_TRUE(said.size() < 400 && said.find('\n') == said.npos) << name << ": " << said;
    }
    EXPECT_LT(std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count(), 5.0) << name;
  }
}

TEST(HostileVocabulary, Clip) {
  EXPECT_EQ(ClipTokenizer::from_vocab(text_bytes(json_vocabulary())).encode("cat").size(), 2U);
  expect_refused(hostile_json(), [](auto bytes) { ClipTokenizer::from_vocab(bytes); });
  expect_refused(hostile_merges(), [](auto bytes) { ClipTokenizer::from_merges(bytes); });
}

TEST(HostileVocabulary, WordPieces) {
  expect_refused(hostile_word_pieces(), [](auto bytes) { WordPiece::from_vocab(bytes); });
}

}  // namespace
}  // namespace ldm
