#include "ldm/text/clip_merges.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "ldm/core/sha256.h"
#include "ldm/text/clip_tokenizer.h"
#include "tests/text/error_text.h"

namespace ldm {
namespace {

TEST(ClipMerges, AreThoseOfOpenAi) {
  const auto vocabulary = openai_clip_vocabulary();
  EXPECT_EQ(std::count(vocabulary.begin(), vocabulary.end(), '\n'), 48895);
  // Of merges.txt as published with openai/clip-vit-large-patch14.
  EXPECT_EQ(sha256_hex(text_bytes(vocabulary)),
            "9fd691f7c8039210e0fced15865466c65820d09b63988b0174bfe25de299051a");
}

// The example of Stable Diffusion's model card, by transformers.
TEST(ClipMerges, SpellWhatStableDiffusionReads) {
  const auto tokenizer = ClipTokenizer::from_vocab(text_bytes(openai_clip_vocabulary()));
  EXPECT_EQ(tokenizer.size(), kOpenAiClipPieces);
  EXPECT_EQ(tokenizer.encode("a photo of an astronaut riding a horse on mars"),
            (std::vector<int64_t>{320, 1125, 539, 550, 18376, 6765, 320, 4558, 525, 7496}));
  EXPECT_EQ(tokenizer.begin_id(), 49406);
  EXPECT_EQ(tokenizer.end_id(), 49407);
}

}  // namespace
}  // namespace ldm
