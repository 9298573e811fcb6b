#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ldm/io/file.h"
#include "ldm/text/clip_merges.h"
#include "ldm/text/clip_tokenizer.h"
#include "ldm/text/prompt_and.h"
#include "ldm/text/prompt_chunks.h"
#include "ldm/text/prompt_schedule.h"
#include "ldm/text/prompt_weights.h"
#include "ldm/text/wordpiece.h"
#include "tests/golden/runner.h"

namespace ldm::golden {
namespace {

using Ids = std::vector<int64_t>;

// What stands for an item in messages.
std::string item_name(const char* what, const Json& item) {
  return what + (" of " + item.at("text").get<std::string>().substr(0, 40));
}

// Items {text, ids, ids77?}: BERT's uncased ids without specials, and padded to max_length where that is
// given.
void run_tokenizer_bert(Case& c) {
  const MappedFile vocab(c.file(c.config().at("vocab").get<std::string>()));
  const WordPiece tokenizer = WordPiece::from_vocab(vocab.bytes());
  const auto special = [&](const char* name) { return c.config().at(name).get<int64_t>(); };
  c.expect_true("specials", tokenizer.begin_id() == special("cls") && tokenizer.end_id() == special("sep") &&
                                tokenizer.pad_id() == special("pad") &&
                                tokenizer.unknown_id() == special("unk"));
  const auto length = c.config().at("max_length").get<int64_t>();
  for (const Json& item : c.json().at("items")) {
    const auto text = item.at("text").get<std::string>();
    c.expect_true(item_name("ids", item), tokenizer.encode(text) == item.at("ids").get<Ids>());
    if (!item.contains("ids77")) continue;
    const bool same = tokenizer.encode_padded(text, length) == item.at("ids77").get<Ids>();
    c.expect_true(item_name("ids77", item), same);
  }
}

// The BPE merges are half a megabyte: read once a file.
const ClipTokenizer& clip_tokenizer(Case& c, const std::string& vocab, ClipRules rules) {
  static std::map<std::pair<std::string, ClipRules>, std::unique_ptr<ClipTokenizer>> known;
  auto& tokenizer = known[{c.file(vocab).string(), rules}];
  if (!tokenizer) {
    const MappedFile merges(c.file(vocab));
    tokenizer = std::make_unique<ClipTokenizer>(ClipTokenizer::from_merges(merges.bytes(), {.rules = rules}));
  }
  return *tokenizer;
}

// Items {text, ids, ids77?, openai?}: ids by the rules of transformers, and by OpenAI's where they differ.
void run_tokenizer_clip(Case& c) {
  const auto vocab = c.config().at("vocab").get<std::string>();
  const auto& hf = clip_tokenizer(c, vocab, ClipRules::kHuggingFace);
  const auto& openai = clip_tokenizer(c, vocab, ClipRules::kOpenAi);
  const MappedFile merges(c.file(vocab));
  c.expect_true("the merges inside the program",
                openai_clip_vocabulary() == format_merges(parse_merges(merges.bytes(), vocab)));
  const auto special = [&](const char* name) { return c.config().at(name).get<int64_t>(); };
  c.expect_true("specials", hf.begin_id() == special("bos") && hf.end_id() == special("eos") &&
                                hf.pad_id() == special("pad_hf") && openai.pad_id() == special("pad_openai"));
  const auto length = c.config().at("max_length").get<int64_t>();
  for (const Json& item : c.json().at("items")) {
    const auto text = item.at("text").get<std::string>();
    const auto ids = item.at("ids").get<Ids>();
    c.expect_true(item_name("ids", item), hf.encode(text) == ids);
    c.expect_true(item_name("openai", item), openai.encode(text) == item.value("openai", ids));
    if (item.contains("ids77"))
      c.expect_true(item_name("ids77", item), hf.encode_padded(text, length) == item["ids77"].get<Ids>());
  }
}

bool near(double got, double want, double tolerance) {
  return std::abs(got - want) <= tolerance * std::max(1.0, std::abs(want));
}

// Items {text, parts: [[text, weight]]}.
void run_prompt_attention(Case& c) {
  const double tolerance = c.json().at("tolerance").at("default");
  for (const Json& item : c.json().at("items")) {
    const auto got = parse_prompt_weights(item.at("text").get<std::string>());
    const auto& want = item.at("parts");
    bool same = got.size() == want.size();
    for (size_t i = 0; same && i < got.size(); ++i) {
      same = got[i].text == want[i][0].get<std::string>() && near(got[i].weight, want[i][1], tolerance);
    }
    c.expect_true(item_name("parts", item), same);
  }
}

void run_prompt_and(Case& c) {
  for (const Json& item : c.json().at("items")) {
    std::vector<PromptTerm> want;
    for (const Json& part : item.at("parts")) want.push_back({part[0], part[1]});
    c.expect_true(item_name("parts", item), parse_prompt_terms(item.at("text").get<std::string>()) == want);
  }
}

// Items {text, schedule: [[last step, text]]}.
void run_prompt_schedule(Case& c) {
  const auto steps = c.config().at("steps").get<int64_t>();
  for (const Json& item : c.json().at("items")) {
    std::vector<PromptPhase> want;
    for (const Json& phase : item.at("schedule")) want.push_back({phase[0], phase[1]});
    const auto got = parse_prompt_schedule(item.at("text").get<std::string>(), steps);
    c.expect_true(item_name("schedule", item), got == want);
  }
}

bool same_chunks(const PromptChunks& got, const Json& want, double tolerance) {
  if (got.chunks.size() != want.size()) return false;
  for (size_t i = 0; i < want.size(); ++i) {
    const auto& chunk = got.chunks[i];
    if (chunk.ids != want[i].at("ids").get<Ids>()) return false;
    const auto weights = want[i].at("weights").get<std::vector<double>>();
    if (chunk.weights.size() != weights.size()) return false;
    for (size_t k = 0; k < weights.size(); ++k) {
      if (!near(chunk.weights[k], weights[k], tolerance)) return false;
    }
  }
  return true;
}

// Items {text, chunks<backtrack>: [{ids, weights}], count<backtrack>?} for each backtrack of the config.
void run_prompt_chunks(Case& c) {
  const auto& tokenizer = clip_tokenizer(c, "vocab/clip_bpe_merges.txt", ClipRules::kHuggingFace);
  const double tolerance = c.json().at("tolerance").at("default");
  for (const int64_t backtrack : c.config().at("backtrack").get<Ids>()) {
    const auto suffix = std::to_string(backtrack);
    for (const Json& item : c.json().at("items")) {
      const auto parts = parse_prompt_weights(item.at("text").get<std::string>());
      const auto got =
          chunk_prompt(parts, tokenizer, {.length = c.config().at("chunk"), .comma_backtrack = backtrack});
      c.expect_true(item_name("chunks", item), same_chunks(got, item.at("chunks" + suffix), tolerance));
      if (item.contains("count" + suffix))
        c.expect_true(item_name("count", item), got.tokens == item["count" + suffix].get<int64_t>());
    }
  }
}

void add_text_kinds(KindTable& kinds) {
  kinds.add("tokenizer_bert", run_tokenizer_bert);
  kinds.add("tokenizer_clip", run_tokenizer_clip);
  kinds.add("prompt_attention", run_prompt_attention);
  kinds.add("prompt_and", run_prompt_and);
  kinds.add("prompt_schedule", run_prompt_schedule);
  kinds.add("prompt_chunks", run_prompt_chunks);
}
const RegisterKinds kTextRegistered(add_text_kinds);

}  // namespace
}  // namespace ldm::golden
