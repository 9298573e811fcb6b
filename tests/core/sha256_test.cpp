#include "ldm/core/sha256.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "ldm/core/sha256_blocks.h"

namespace ldm {
namespace {

std::string hash_text(std::string_view text) { return sha256_hex(std::as_bytes(std::span(text))); }

// FIPS 180-4 examples.
TEST(Sha256, KnownAnswers) {
  EXPECT_EQ(hash_text(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hash_text("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hash_text("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(hash_text(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, PiecesDoNotMatter) {
  std::string text;
  for (int i = 0; i < 300; ++i) text += static_cast<char>('a' + i % 26);
  const auto bytes = std::as_bytes(std::span(text));
  for (size_t size = 0; size <= 200; ++size) {
    for (const size_t step : {1, 7, 63, 64, 65}) {
      Sha256 hash;
      for (size_t at = 0; at < size; at += step) hash.update(bytes.subspan(at, std::min(step, size - at)));
      ASSERT_EQ(hash.hex(), sha256_hex(bytes.first(size))) << size << " by " << step;
    }
  }
}

// The instructions of the processor and plain arithmetic.
TEST(Sha256, BothWaysAgree) {
  std::vector<std::byte> blocks(64 * 50);
  for (size_t i = 0; i < blocks.size(); ++i) blocks[i] = static_cast<std::byte>(i * i >> 3);
  std::array<uint32_t, 8> fast{1, 2, 3, 4, 5, 6, 7, 0xFFFFFFFF}, plain = fast;
  sha256_blocks(fast, blocks);
  sha256_blocks_portable(plain, blocks);
  EXPECT_EQ(fast, plain);
}

TEST(Sha256, MayGoOnAfterADigest) {
  const std::string_view text = "abc";
  Sha256 hash;
  hash.update(std::as_bytes(std::span(text.substr(0, 1))));
  hash.hex();
  hash.update(std::as_bytes(std::span(text.substr(1))));
  EXPECT_EQ(hash.hex(), hash_text("abc"));
}

}  // namespace
}  // namespace ldm
