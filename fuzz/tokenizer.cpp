// The first byte chooses the kind of vocabulary, the rest is the file; one caption is encoded with it.
#include "fuzz/target.h"
#include "ldm/text/clip_tokenizer.h"
#include "ldm/text/wordpiece.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return ldm::fuzz::parse_or_refuse(data, size, [](auto bytes) {
    if (bytes.empty()) return;
    const auto file = bytes.subspan(1);
    if (bytes[0] == std::byte{'w'}) {
      ldm::WordPiece::from_vocab(file).encode("a photo of the cat");
    } else {
      ldm::ClipTokenizer::from_vocab(file).encode("a photo of the cat");
    }
  });
}
