#include <cstdint>
#include <string>
#include <vector>

#include "ldm/io/file.h"
#include "ldm/text/wordpiece.h"
#include "tests/golden/runner.h"

namespace ldm::golden {
namespace {

using Ids = std::vector<int64_t>;

// Items {text, ids, ids77?}: BERT's uncased ids without specials, and padded to max_length where that is
// given.
void run_tokenizer_bert(Case& c) {
  const MappedFile vocab(c.file(c.config().at("vocab").get<std::string>()));
  const WordPiece tokenizer = WordPiece::from_vocab(vocab.bytes());
  const auto special = [&](const char* name) { return c.config().at(name).get<int64_t>(); };
  c.expect_true("specials", tokenizer.cls_id() == special("cls") && tokenizer.sep_id() == special("sep") &&
                                tokenizer.pad_id() == special("pad") && tokenizer.unk_id() == special("unk"));
  const auto length = c.config().at("max_length").get<int64_t>();
  for (const Json& item : c.json().at("items")) {
    const auto text = item.at("text").get<std::string>();
    c.expect_true("ids of " + text.substr(0, 40), tokenizer.encode(text) == item.at("ids").get<Ids>());
    if (!item.contains("ids77")) continue;
    const bool same = tokenizer.encode_padded(text, length) == item.at("ids77").get<Ids>();
    c.expect_true("ids77 of " + text.substr(0, 40), same);
  }
}

void add_text_kinds(KindTable& kinds) { kinds.add("tokenizer_bert", run_tokenizer_bert); }
const RegisterKinds kTextRegistered(add_text_kinds);

}  // namespace
}  // namespace ldm::golden
