#include "ldm/text/clip_tokenizer.h"

#include <algorithm>
#include <utility>

#include "ldm/core/error.h"
#include "ldm/core/utf8.h"
#include "ldm/io/file.h"
#include "ldm/io/json.h"
#include "ldm/text/clip_words.h"
#include "ldm/text/openai_clean.h"
#include "ldm/text/unicode.h"

namespace ldm {
namespace {

constexpr char kBegin[] = "<|startoftext|>", kEnd[] = "<|endoftext|>";
constexpr size_t kMaxPieces = 1'000'000;
constexpr JsonLimits kVocabLimits{.max_bytes = 32 << 20, .max_depth = 4};

PieceIds read_ids(const Json& vocab) {
  check(vocab.is_object() && vocab.size() <= kMaxPieces, ErrorKind::kFormat,
        "vocab.json: expected an object of at most ", kMaxPieces, " pieces and their ids");
  PieceIds ids;
  for (const auto& [piece, id] : vocab.items()) {
    check(id.is_number_unsigned() && id.get<uint64_t>() < kMaxPieces, ErrorKind::kFormat,
          "vocab.json: expected an id below ", kMaxPieces, " for '", piece, "', got ", id.dump());
    ids.emplace(piece, id.get<int64_t>());
  }
  return ids;
}

// The original's: what the merges give, then the two specials.
PieceIds ids_of_merges(std::span<const Merge> merges) {
  PieceIds ids = BytePairs::original_ids(merges);
  const auto first = static_cast<int64_t>(512 + merges.size());
  ids.emplace(kBegin, first);
  ids.emplace(kEnd, first + 1);
  return ids;
}

}  // namespace

ClipTokenizer ClipTokenizer::from_merges(std::span<const std::byte> merges,
                                         const ClipTokenizerOptions& options) {
  auto parsed = parse_merges(merges, "merges.txt");
  auto ids = ids_of_merges(parsed);
  return {std::move(parsed), std::move(ids), options};
}

ClipTokenizer ClipTokenizer::from_files(std::span<const std::byte> vocab_json,
                                        std::span<const std::byte> merges_txt,
                                        const ClipTokenizerOptions& options) {
  return {parse_merges(merges_txt, "merges.txt"),
          read_ids(parse_json(vocab_json, "vocab.json", kVocabLimits)), options};
}

ClipTokenizer ClipTokenizer::from_vocab(std::span<const std::byte> vocab,
                                        const ClipTokenizerOptions& options) {
  if (!as_text(vocab).starts_with('{')) return from_merges(vocab, options);
  const Json json = parse_json(vocab, "vocabulary", kVocabLimits);
  check(json.contains("vocab") && json.contains("merges") && json["merges"].is_string(), ErrorKind::kFormat,
        "vocabulary: expected a JSON object of vocab and merges");
  const auto& merges = json["merges"].get_ref<const std::string&>();
  return {parse_merges(std::as_bytes(std::span(merges)), "merges"), read_ids(json["vocab"]), options};
}

ClipTokenizer::ClipTokenizer(std::vector<Merge> merges, PieceIds ids, const ClipTokenizerOptions& options)
    : options_(options), pairs_(std::move(merges), ids), vocab_(std::move(ids)) {
  const bool openai = options.rules == ClipRules::kOpenAi;
  if (options_.pad_token.empty()) options_.pad_token = openai ? "!" : kEnd;
  bos_id_ = id_of(kBegin);
  eos_id_ = id_of(kEnd);
  comma_id_ = id_of(",</w>");
  check(vocab_.contains(options_.pad_token), "ClipTokenizer: expected a pad_token of the vocabulary, got '",
        options_.pad_token, "'");
  pad_id_ = id_of(options_.pad_token);
  for (const auto& [piece, id] : vocab_) size_ = std::max(size_, id + 1);
  if (!openai) {
    for (const std::string& text : {std::string(kBegin), std::string(kEnd), options_.pad_token}) {
      specials_.push_back({decode_utf8(text), id_of(text)});
    }
  }
  if (vocab_ == ids_of_merges(pairs_.merges())) vocab_.clear();
}

int64_t ClipTokenizer::id_of(const std::string& piece) const {
  const auto found = vocab_.find(piece);
  check(found != vocab_.end(), ErrorKind::kFormat, "ClipTokenizer: expected the piece '", piece,
        "' in the vocabulary");
  return found->second;
}

std::vector<int64_t> ClipTokenizer::encode(std::string_view text) const {
  std::vector<int64_t> ids;
  if (options_.rules == ClipRules::kOpenAi) {
    encode_plain(to_lower_final_sigma(openai_clean(decode_utf8(text))), ids);
    return ids;
  }
  // Specials are cut out of the text as it was typed.
  const std::u32string typed = decode_utf8(text);
  const std::u32string_view all = typed;
  size_t plain = 0;
  for (size_t at = 0; at < all.size();) {
    const auto found = std::find_if(specials_.begin(), specials_.end(), [&](const Special& special) {
      return all.substr(at).starts_with(special.text);
    });
    if (found == specials_.end()) {
      ++at;
      continue;
    }
    encode_plain(to_lower(to_nfc(all.substr(plain, at - plain))), ids);
    ids.push_back(found->id);
    plain = at += found->text.size();
  }
  encode_plain(to_lower(to_nfc(all.substr(plain))), ids);
  return ids;
}

void ClipTokenizer::encode_plain(std::u32string_view text, std::vector<int64_t>& ids) const {
  const bool openai = options_.rules == ClipRules::kOpenAi;
  for (const auto word : clip_words(text, openai)) {
    if (openai && word == U"<|startoftext|>") {
      ids.push_back(bos_id_);
    } else if (openai && word == U"<|endoftext|>") {
      ids.push_back(eos_id_);
    } else {
      pairs_.encode(encode_utf8(word), ids);
    }
  }
}

std::string ClipTokenizer::to_vocab() const {
  std::string merges = format_merges(pairs_.merges());
  if (vocab_.empty()) return merges;
  Json out = {{"merges", std::move(merges)}, {"vocab", Json::object()}};
  for (const auto& [piece, id] : vocab_) out["vocab"][piece] = id;
  return to_json(out);
}

}  // namespace ldm
